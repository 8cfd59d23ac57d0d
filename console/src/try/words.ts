/** What the Try page says about pictures: verdicts, refusals and warnings, in words that somebody can act on. */

import type { Language } from '../language.ts';
import type { LandmarkName, PointName, Quality, Reason, Warning } from './reading.ts';

/** What is the matter, and what to do about it. */
export interface Advice {
  readonly title: string;
  readonly more: string;
}

type ByLanguage<T> = Readonly<Record<Language, T>>;

const reasonsEn: Readonly<Record<Reason, Advice>> = {
  no_key: {
    title: 'A key is needed',
    more: 'Enter it under “Keys”. The picture is assessed as soon as it is there.',
  },
  no_address: {
    title: 'This API takes no addresses',
    more: 'ARGOS wants the picture itself: save it and choose the file, or try another API.',
  },
  unreadable: {
    title: 'The file cannot be read',
    more: 'It may be a folder, or was moved or changed meanwhile.',
  },
  unreachable: {
    title: 'The server cannot be reached',
    more: 'Look whether it is running and you are connected, then try again.',
  },
  wrong_key: {
    title: 'The server does not know this key',
    more: 'It may be mistyped, expired or revoked, or be for another API.',
  },
  wrong_keys: {
    title: 'Too many wrong keys',
    more: 'The server takes no more from your address for a moment.',
  },
  rate: { title: 'Too many requests at once', more: 'The key may send only so many a second.' },
  quota: { title: 'The limit of this key is reached', more: 'It may send no more for now.' },
  busy: { title: 'The server has no room now', more: 'It was asked several times. Try again in a moment.' },
  no_image: {
    title: 'This is no picture that the API reads',
    more: 'bonafide reads JPEG, PNG, WebP, AVIF, TIFF, GIF and HEIC; ARGOS JPEG, PNG and WebP; NHN JPEG and PNG.',
  },
  damaged: {
    title: 'The picture is damaged',
    more: 'It may have been cut short on its way. Choose it again, or another.',
  },
  too_large: { title: 'The picture is too large', more: 'Make it smaller. NHN takes up to 3 MB.' },
  too_small: { title: 'The picture is too small', more: 'Each side must have at least 80 pixels.' },
  face_too_small: {
    title: 'The face is too small',
    more: 'Move closer to the camera: it needs at least 60 pixels.',
  },
  several_faces: {
    title: 'Several people',
    more: 'This API scores one face: let only one person be in the picture.',
  },
  address: {
    title: 'No picture came from that address',
    more: 'The server could not load it, or what came was no picture. Open the address in a new tab to check it.',
  },
  address_refused: {
    title: 'The server does not go to that address',
    more: 'It loads pictures from public http and https addresses only.',
  },
  address_timeout: {
    title: 'That address took too long',
    more: 'Try again, or save the picture and choose the file.',
  },
  request: {
    title: 'The server did not understand the request',
    more: 'The answer below says more.',
  },
  server: {
    title: 'The server failed',
    more: 'That is its fault, not yours. Its log says more under the request id below.',
  },
};

const reasonsKo: Readonly<Record<Reason, Advice>> = {
  no_key: { title: '키가 필요합니다', more: '‘키’에서 입력해 주세요. 입력하면 바로 분석합니다.' },
  no_address: {
    title: '이 API는 이미지 주소를 받지 않습니다',
    more: 'ARGOS에는 이미지 파일이 필요합니다. 저장한 뒤 파일을 선택하거나 다른 API를 사용해 주세요.',
  },
  unreadable: {
    title: '파일을 읽을 수 없습니다',
    more: '폴더이거나, 그사이 이동 또는 변경되었을 수 있습니다.',
  },
  unreachable: {
    title: '서버에 연결할 수 없습니다',
    more: '서버 실행 여부와 네트워크 연결을 확인한 뒤 다시 시도해 주세요.',
  },
  wrong_key: {
    title: '등록되지 않은 키입니다',
    more: '잘못 입력했거나 만료·폐기된 키, 또는 다른 API용 키일 수 있습니다.',
  },
  wrong_keys: {
    title: '잘못된 키를 너무 많이 보냈습니다',
    more: '잠시 동안 이 주소의 요청을 받지 않습니다.',
  },
  rate: { title: '요청이 너무 많습니다', more: '이 키의 초당 요청 한도를 넘었습니다.' },
  quota: { title: '이 키의 사용 한도를 모두 썼습니다', more: '지금은 더 요청할 수 없습니다.' },
  busy: {
    title: '서버가 지금 바쁩니다',
    more: '여러 번 요청했지만 처리하지 못했습니다. 잠시 후 다시 시도해 주세요.',
  },
  no_image: {
    title: '이 API가 읽을 수 있는 이미지가 아닙니다',
    more: 'bonafide는 JPEG, PNG, WebP, AVIF, TIFF, GIF, HEIC를, ARGOS는 JPEG, PNG, WebP를, NHN은 JPEG, PNG를 지원합니다.',
  },
  damaged: {
    title: '손상된 이미지입니다',
    more: '전송 중에 잘렸을 수 있습니다. 다시 선택하거나 다른 이미지를 사용해 주세요.',
  },
  too_large: { title: '이미지가 너무 큽니다', more: '크기를 줄여 주세요. NHN은 3MB까지 지원합니다.' },
  too_small: { title: '이미지가 너무 작습니다', more: '가로와 세로가 각각 80픽셀 이상이어야 합니다.' },
  face_too_small: {
    title: '얼굴이 너무 작습니다',
    more: '카메라에 더 가까이 다가가 주세요. 60픽셀 이상이어야 합니다.',
  },
  several_faces: {
    title: '여러 사람이 있습니다',
    more: '이 API는 한 사람만 판별합니다. 한 사람만 나오게 해 주세요.',
  },
  address: {
    title: '주소에서 이미지를 가져오지 못했습니다',
    more: '서버가 불러오지 못했거나 이미지가 아닙니다. 새 탭에서 주소를 열어 확인해 주세요.',
  },
  address_refused: {
    title: '서버가 접근하지 않는 주소입니다',
    more: '공개된 http, https 주소의 이미지만 불러옵니다.',
  },
  address_timeout: {
    title: '주소의 응답이 너무 느립니다',
    more: '다시 시도하거나, 이미지를 저장한 뒤 파일을 선택해 주세요.',
  },
  request: {
    title: '서버가 요청을 이해하지 못했습니다',
    more: '자세한 내용은 아래 응답을 확인해 주세요.',
  },
  server: {
    title: '서버에 오류가 발생했습니다',
    more: '이용자의 잘못이 아닙니다. 아래 요청 ID로 서버 로그를 확인해 주세요.',
  },
};

export const reasons: ByLanguage<Readonly<Record<Reason, Advice>>> = { en: reasonsEn, ko: reasonsKo };

const px = (value: number) => Math.round(value);

type WarningWords = Readonly<Record<string, (value: number, limit: number) => Advice>>;

const warningsEn: WarningWords = {
  low_resolution: (value, limit) => ({
    title: 'Use a larger picture',
    more: `Its shorter side has ${px(value)} pixels; ${limit} or more are better.`,
  }),
  several_faces: (value) => ({
    title: 'One person only',
    more: `There are ${value} faces in the picture.`,
  }),
  small_face: (value, limit) => ({
    title: 'Move closer',
    more: `The face is ${px(value)} pixels wide; ${limit} or more are better.`,
  }),
  close_eyes: (value, limit) => ({
    title: 'Move closer',
    more: `The eyes are ${px(value)} pixels apart; ${limit} or more are better.`,
  }),
  near_border: (value) => ({
    title: 'Move to the middle',
    more: value < 0 ? 'The face is cut off at the edge.' : `Only ${px(value)} pixels are left to the edge.`,
  }),
  off_angle: (value, limit) => ({
    title: 'Look straight into the camera',
    more: `The head is turned by about ${px(value)}°; up to ${limit}° is fine.`,
  }),
  too_dark: () => ({ title: 'Too dark: face a light', more: 'Turn towards a window or a lamp.' }),
  too_bright: () => ({
    title: 'Too bright: step out of the light',
    more: 'Avoid the sun or a lamp on the face.',
  }),
  blurred: () => ({ title: 'Hold still', more: 'The face is blurred. Clean the lens and let it focus.' }),
};

const warningsKo: WarningWords = {
  low_resolution: (value, limit) => ({
    title: '더 큰 이미지를 사용해 주세요',
    more: `짧은 변이 ${px(value)}픽셀입니다. ${limit}픽셀 이상이 좋습니다.`,
  }),
  several_faces: (value) => ({ title: '한 사람만 나오게 해 주세요', more: `얼굴이 ${value}개 있습니다.` }),
  small_face: (value, limit) => ({
    title: '더 가까이 다가가 주세요',
    more: `얼굴 크기가 ${px(value)}픽셀입니다. ${limit}픽셀 이상이 좋습니다.`,
  }),
  close_eyes: (value, limit) => ({
    title: '더 가까이 다가가 주세요',
    more: `두 눈 사이가 ${px(value)}픽셀입니다. ${limit}픽셀 이상이 좋습니다.`,
  }),
  near_border: (value) => ({
    title: '얼굴을 가운데로 옮겨 주세요',
    more:
      value < 0 ? '얼굴이 가장자리에서 잘렸습니다.' : `가장자리까지 ${px(value)}픽셀밖에 남지 않았습니다.`,
  }),
  off_angle: (value, limit) => ({
    title: '카메라를 정면으로 바라봐 주세요',
    more: `고개가 약 ${px(value)}° 돌아가 있습니다. ${limit}° 이내가 좋습니다.`,
  }),
  too_dark: () => ({ title: '너무 어둡습니다. 빛을 향해 주세요', more: '창문이나 조명 쪽을 바라봐 주세요.' }),
  too_bright: () => ({
    title: '너무 밝습니다. 강한 빛을 피해 주세요',
    more: '얼굴에 햇빛이나 조명이 직접 닿지 않게 해 주세요.',
  }),
  blurred: () => ({
    title: '움직이지 말아 주세요',
    more: '얼굴이 흐립니다. 렌즈를 닦고 초점을 맞춰 주세요.',
  }),
};

const warnings: ByLanguage<WarningWords> = { en: warningsEn, ko: warningsKo };

/** Advice for warnings, each piece once: a small face and close eyes have the same remedy. */
export function advise(found: readonly Warning[], language: Language): readonly Advice[] {
  const pieces = found.map(
    ({ code, value, limit }) => warnings[language][code]?.(value, limit) ?? { title: code, more: '' },
  );
  return pieces.filter(({ title }, at) => pieces.findIndex((other) => other.title === title) === at);
}

export const pointWords: ByLanguage<Readonly<Record<PointName, string>>> = {
  en: { weak: 'Weak', balanced: 'Balanced', strict: 'Strict' },
  ko: { weak: '약함', balanced: '보통', strict: '엄격' },
};

export const landmarkWords: ByLanguage<Readonly<Record<LandmarkName, string>>> = {
  en: {
    leftEye: 'Left eye',
    rightEye: 'Right eye',
    nose: 'Nose',
    leftLip: 'Left corner of the mouth',
    rightLip: 'Right corner of the mouth',
  },
  ko: {
    leftEye: '왼쪽 눈',
    rightEye: '오른쪽 눈',
    nose: '코',
    leftLip: '왼쪽 입꼬리',
    rightLip: '오른쪽 입꼬리',
  },
};

export const qualityWords: ByLanguage<
  Readonly<Record<keyof Quality, readonly [name: string, unit: string]>>
> = {
  en: {
    side: ['Size of the face', 'px'],
    eyeDistance: ['Between the eyes', 'px'],
    margin: ['To the nearest edge', 'px'],
    angle: ['Turned by', '°'],
    luma: ['Brightness', '/ 255'],
    sharpness: ['Sharpness', ''],
  },
  ko: {
    side: ['얼굴 크기', 'px'],
    eyeDistance: ['두 눈 사이', 'px'],
    margin: ['가장자리까지', 'px'],
    angle: ['회전 각도', '°'],
    luma: ['밝기', '/ 255'],
    sharpness: ['선명도', ''],
  },
};

export const stageWords: ByLanguage<Readonly<Record<string, string>>> = {
  en: {
    decode: 'Decode',
    detect: 'Find faces',
    landmarks: 'Find points',
    crop: 'Cut out',
    score: 'Score',
    quality: 'Measure',
    decide: 'Decide',
  },
  ko: {
    decode: '디코딩',
    detect: '얼굴 검출',
    landmarks: '특징점',
    crop: '영역 추출',
    score: '라이브니스 판별',
    quality: '품질 측정',
    decide: '판정',
  },
};

/** P(live) in three digits, which never say that something is certain. */
export function probability(value: number): string {
  if (value >= 0.9995) return '>0.999';
  if (value < 0.0005) return '<0.001';
  return value.toFixed(3);
}
