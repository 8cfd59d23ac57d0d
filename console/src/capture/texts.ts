/** The element's words, in English and Korean. */

import type { CameraFault } from './camera.ts';
import type { Instruction } from './guidance.ts';

export type Language = 'en' | 'ko';

/** A heading and what to do. */
export interface Notice {
  readonly title: string;
  readonly advice: string;
}

export interface Texts {
  /** What the whole is, for screen readers. */
  readonly name: string;
  readonly preview: string;
  readonly taken: string;
  readonly idle: Notice;
  readonly asking: Notice;
  readonly loading: string;
  readonly faults: Readonly<Record<CameraFault, Notice>>;
  readonly instructions: Readonly<Record<Instruction, string>>;
  /** Where the face finder is of no use. */
  readonly manual: string;
  readonly sending: string;
  readonly done: string;
  readonly failed: string;
  readonly refused: (status: number) => string;
  readonly start: string;
  readonly retry: string;
  readonly shutter: string;
  readonly take: string;
  readonly again: string;
  readonly resend: string;
}

export const texts: Readonly<Record<Language, Texts>> = {
  en: {
    name: 'Photograph of your face',
    preview: 'What the camera sees, mirrored',
    taken: 'The photograph that was taken',
    idle: {
      title: 'Take a photograph of your face',
      advice: 'Look into the camera, in even light. The picture is taken by itself.',
    },
    asking: { title: 'Please allow the camera', advice: 'Your browser asks whether this page may use it.' },
    loading: 'One moment',
    faults: {
      denied: {
        title: 'The camera is blocked',
        advice: 'Allow it for this page in your browser’s settings, by the address bar, and try again.',
      },
      missing: {
        title: 'No camera was found',
        advice: 'Connect one and try again, or open this page on a phone.',
      },
      busy: {
        title: 'The camera gives no picture',
        advice: 'Close other programs and pages that use it, and try again.',
      },
      insecure: {
        title: 'The camera cannot be used here',
        advice: 'Browsers allow it only on secure pages. Open this one by https.',
      },
    },
    instructions: {
      show: 'Put your face into the oval',
      alone: 'Only one person, please',
      closer: 'Move closer',
      further: 'Move further away',
      centre: 'Centre your face',
      straight: 'Look straight ahead',
      brighter: 'More light, please',
      darker: 'Too bright',
      still: 'Hold still',
    },
    manual: 'Put your face into the oval and press the button',
    sending: 'Sending',
    done: 'Photograph taken',
    failed: 'The photograph could not be sent.',
    refused: (status) => `The server refused the photograph (${status}).`,
    start: 'Start the camera',
    retry: 'Try again',
    shutter: 'Take the picture myself',
    take: 'Take the picture',
    again: 'Take again',
    resend: 'Send again',
  },
  ko: {
    name: '얼굴 촬영',
    preview: '카메라 화면(좌우 반전)',
    taken: '촬영한 사진',
    idle: {
      title: '얼굴을 촬영해 주세요',
      advice: '밝고 고른 조명에서 카메라를 바라보면 자동으로 촬영됩니다.',
    },
    asking: {
      title: '카메라 사용을 허용해 주세요',
      advice: '브라우저에 표시된 권한 요청에서 허용을 선택해 주세요.',
    },
    loading: '잠시만 기다려 주세요',
    faults: {
      denied: {
        title: '카메라가 차단되어 있어요',
        advice: '주소창 옆 브라우저 설정에서 이 페이지의 카메라를 허용한 뒤 다시 시도해 주세요.',
      },
      missing: {
        title: '카메라를 찾을 수 없어요',
        advice: '카메라를 연결한 뒤 다시 시도하거나, 휴대폰에서 이 페이지를 열어 주세요.',
      },
      busy: {
        title: '카메라 화면을 가져올 수 없어요',
        advice: '카메라를 사용 중인 다른 앱이나 페이지를 닫고 다시 시도해 주세요.',
      },
      insecure: {
        title: '여기서는 카메라를 사용할 수 없어요',
        advice: '카메라는 보안 연결에서만 사용할 수 있습니다. https 주소로 열어 주세요.',
      },
    },
    instructions: {
      show: '얼굴을 타원 안에 맞춰 주세요',
      alone: '한 분만 화면에 나와 주세요',
      closer: '조금 더 가까이 와 주세요',
      further: '조금 더 뒤로 가 주세요',
      centre: '얼굴을 가운데로 맞춰 주세요',
      straight: '정면을 바라봐 주세요',
      brighter: '더 밝은 곳에서 촬영해 주세요',
      darker: '빛이 너무 강해요',
      still: '그대로 잠시만 멈춰 주세요',
    },
    manual: '얼굴을 타원 안에 맞추고 촬영 버튼을 눌러 주세요',
    sending: '전송하고 있어요',
    done: '촬영을 마쳤어요',
    failed: '사진을 전송하지 못했어요.',
    refused: (status) => `서버가 사진을 받지 않았어요(${status}).`,
    start: '카메라 시작',
    retry: '다시 시도',
    shutter: '직접 촬영하기',
    take: '촬영하기',
    again: '다시 촬영',
    resend: '다시 전송',
  },
};

/** The language of an element: by the nearest `lang`, its own before others, else as the browser prefers. */
export function languageOf(element: Element): Language {
  const lang = nearestLang(element) || navigator.language;
  return lang.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}

/** Also from within the shadow of other elements. */
function nearestLang(element: Element): string | undefined {
  const found = element.closest('[lang]')?.getAttribute('lang');
  if (typeof found === 'string') return found;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? nearestLang(root.host) : undefined;
}
