/** Every model and profile the product ships with, as data. Sources, hashes and preprocessing are pinned by `test/real`. */

import type { ModelDescriptor, ProfileDescriptor } from './descriptor.ts';
import { head, headFittedOn } from './head.ts';

const npmTarball = {
  npm: 'faceplugin-face-recognition-js@0.0.1',
  integrity:
    'sha512-shriXjd4zJHEwhK1jHK+bWo8Vv6Vu9B/w6RRsd4AFtNM/jaI2vhuOamOSMl9qQmLd8WlQ7dgqN+3C2iOi5pXWw==',
} as const;

export const models: readonly ModelDescriptor[] = [
  {
    id: 'ultraface-rfb-320',
    task: 'detect',
    title: 'UltraFace RFB 320',
    licence: 'MIT',
    origin: 'Linzaer, Ultra-Light-Fast-Generic-Face-Detector; trained on WIDER FACE; packaged by Faceplugin',
    sha256: '6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854',
    source: { ...npmTarball, path: 'model/fr_detect.onnx' },
    input: { width: 320, height: 240, colour: 'rgb', mean: 127, scale: 128, resample: 'bilinear' },
    fit: 'stretch',
    output: { layout: 'corner-boxes', scores: 'scores', boxes: 'boxes', face: 1 },
    threshold: 0.7,
    overlap: 0.3,
  },
  {
    id: 'landmark-68',
    task: 'landmarks',
    title: '68-point landmarks',
    licence: 'MIT',
    origin: 'Packaged by Faceplugin; training data unpublished',
    sha256: 'f10b0ba1d2a8a099adefede1ebf3733e44fe370715e7303dbeb7f59c02142258',
    source: { ...npmTarball, path: 'model/fr_landmark.onnx' },
    input: { width: 64, height: 64, colour: 'grey', mean: 0, scale: 256, resample: 'bilinear' },
    crop: { kind: 'square-shift', factor: 1 },
    output: {
      // iBUG 68-point order.
      points: {
        leftEye: [36, 37, 38, 39, 40, 41],
        rightEye: [42, 43, 44, 45, 46, 47],
        nose: [30],
        leftLip: [48],
        rightLip: [54],
      },
    },
  },
  {
    id: 'minifas-128',
    task: 'liveness',
    title: 'MiniFAS 128',
    licence: 'MIT',
    origin: 'Packaged by Faceplugin; training data unpublished',
    sha256: 'afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d',
    source: { ...npmTarball, path: 'model/fr_liveness.onnx' },
    input: { width: 128, height: 128, colour: 'bgr', mean: 0, scale: 1, resample: 'triangle' },
    crop: { kind: 'shift', factor: 2.7 },
    output: { live: 0, values: 'logits' },
  },
  {
    id: 'minifas-128-head',
    task: 'liveness',
    title: 'MiniFAS 128 with a head of our own',
    licence: 'MIT',
    origin: 'The network of minifas-128; the head fitted by scripts/fit-head.ts',
    sha256: 'afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d',
    source: { ...npmTarball, path: 'model/fr_liveness.onnx' },
    input: { width: 128, height: 128, colour: 'bgr', mean: 0, scale: 1, resample: 'triangle' },
    crop: { kind: 'square-reflect', factor: 1.3 },
    mirrored: true,
    // The 512 values before the last two matrix products.
    output: { layer: '578', head },
  },
  {
    id: 'yunet-2023mar',
    task: 'detect',
    title: 'YuNet 2023mar',
    licence: 'MIT',
    origin: 'Shiqi Yu, OpenCV Zoo; trained on WIDER FACE',
    sha256: '8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4',
    source: {
      url: 'https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/face_detection_yunet_2023mar.onnx',
    },
    input: { width: 640, height: 640, colour: 'bgr', mean: 0, scale: 1, resample: 'bilinear' },
    fit: 'letterbox',
    output: {
      layout: 'stride-grid',
      strides: [8, 16, 32],
      points: ['leftEye', 'rightEye', 'nose', 'leftLip', 'rightLip'],
    },
    threshold: 0.6,
    overlap: 0.3,
  },
  {
    id: 'minifasnet-v2',
    task: 'liveness',
    title: 'MiniFASNetV2',
    licence: 'Apache-2.0',
    origin: 'minivision-ai, Silent-Face-Anti-Spoofing; training data unpublished; ONNX by yakhyo',
    sha256: 'b32929adc2d9c34b9486f8c4c7bc97c1b69bc0ea9befefc380e4faae4e463907',
    source: {
      url: 'https://github.com/yakhyo/face-anti-spoofing/releases/download/weights/MiniFASNetV2.onnx',
    },
    input: { width: 80, height: 80, colour: 'bgr', mean: 0, scale: 1, resample: 'triangle' },
    crop: { kind: 'shift', factor: 2.7 },
    mirrored: true,
    output: { live: 1, values: 'logits' },
  },
  {
    id: 'minifasnet-v1se',
    task: 'liveness',
    title: 'MiniFASNetV1SE',
    licence: 'Apache-2.0',
    origin: 'minivision-ai, Silent-Face-Anti-Spoofing; training data unpublished; ONNX by yakhyo',
    sha256: 'ebab7f90c7833fbccd46d3a555410e78d969db5438e169b6524be444862b3676',
    source: {
      url: 'https://github.com/yakhyo/face-anti-spoofing/releases/download/weights/MiniFASNetV1SE.onnx',
    },
    input: { width: 80, height: 80, colour: 'bgr', mean: 0, scale: 1, resample: 'triangle' },
    crop: { kind: 'shift', factor: 4 },
    mirrored: true,
    output: { live: 1, values: 'logits' },
  },
  {
    id: 'facenox-9820',
    task: 'liveness',
    title: 'Facenox 98.20',
    licence: 'Apache-2.0',
    origin: 'VietAnh954, face-antispoof-onnx; trained on CelebA-Spoof, whose data is for non-commercial use',
    sha256: 'af2381b88f38769222ed93379e12444e2a50814575de1c46170de570c55a42b6',
    source: {
      url: 'https://github.com/VietAnh954/face-antispoof-onnx/raw/b5724af4f4cb336695e81653634e3f354b52f5c1/models/best/98.20/best_model.onnx',
    },
    input: { width: 128, height: 128, colour: 'rgb', mean: 0, scale: 255, resample: 'triangle' },
    crop: { kind: 'square-reflect', factor: 1.5 },
    output: { live: 0, values: 'logits' },
  },
];

/**
 * Fusion weights, calibration and operating points are those that `bonafide calibrate` makes of the scores in docs/evaluation/, each
 * picture scored by a head that was fitted without its set; `test/unit/published.test.ts` makes them again and compares.
 */
export const profiles: readonly ProfileDescriptor[] = [
  {
    id: 'accurate',
    title: 'YuNet, the MiniFASNet pair, MiniFAS 128 and our head on it',
    detector: 'yunet-2023mar',
    liveness: [
      { model: 'minifasnet-v2', weight: 0.393 },
      { model: 'minifasnet-v1se', weight: 0.166 },
      { model: 'minifas-128', weight: 0.2775 },
      { model: 'minifas-128-head', weight: 0.5684 },
    ],
    calibration: { slopeBelow: 2.0763, slopeAbove: 0.3465, intercept: 2.8073 },
    operatingPoints: {
      weak: { threshold: 0.426, apcer: 0.0772, bpcer: 0.0099 },
      balanced: { threshold: 0.606, apcer: 0.0495, bpcer: 0.0278 },
      strict: { threshold: 0.982, apcer: 0.0092, bpcer: 0.5723 },
    },
    fittedOn: headFittedOn,
  },
  {
    id: 'standard',
    title: 'UltraFace, 68 landmarks and our head on MiniFAS 128: what the npm registry alone gives',
    detector: 'ultraface-rfb-320',
    landmarks: 'landmark-68',
    liveness: [{ model: 'minifas-128-head', weight: 1 }],
    calibration: { slopeBelow: 2.161, slopeAbove: 0.9718, intercept: 1.0935 },
    operatingPoints: {
      weak: { threshold: 0.0535, apcer: 0.4977, bpcer: 0.01 },
      balanced: { threshold: 0.601, apcer: 0.0978, bpcer: 0.134 },
      strict: { threshold: 0.9635, apcer: 0.008, bpcer: 0.5545 },
    },
    fittedOn: headFittedOn,
  },
];
