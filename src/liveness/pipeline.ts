/** From bytes to an assessment: the ordered list of stages, and the runner that alone times, aborts and maps errors. */

import { free } from '../memory.ts';
import type { LandmarkDescriptor, LivenessDescriptor, ModelDescriptor } from '../models/descriptor.ts';
import type { ResolvedProfile } from '../models/registry.ts';
import { openSession, type Session } from '../models/session.ts';
import { toTensors, type View } from '../models/tensor.ts';
import { cropRegion } from './crop.ts';
import { decide, fuse } from './decide.ts';
import { type DecodeLimits, decode } from './decode.ts';
import { detect } from './detect.ts';
import { AssessmentError } from './errors.ts';
import { HeicDecoder } from './heic.ts';
import { locateLandmarks } from './landmarks.ts';
import { judgeFace, judgePicture, lumaView, measureFace } from './quality.ts';
import { logOdds } from './score.ts';
import type { Assessment, Box, Frame, ImageFormat } from './types.ts';

/** The names of the stages, in their order; `timings` has one entry for each. */
export const stageNames = ['decode', 'detect', 'landmarks', 'crop', 'score', 'quality', 'decide'] as const;
export type StageName = (typeof stageNames)[number];

interface Loaded<Descriptor> {
  readonly descriptor: Descriptor;
  readonly session: Session;
}

/** A profile's models, loaded and tried. */
export interface Pipeline {
  /**
   * Assesses one photograph.
   * @param admitted the formats this caller takes.
   * @param isAborted asked before every stage; when it says yes, the rest is not done.
   * @throws AssessmentError
   */
  assess(bytes: Uint8Array, admitted: readonly ImageFormat[], isAborted: () => boolean): Promise<Assessment>;
}

/** What each model is tried on before the first photograph. */
const blank: Frame = { format: 'png', width: 64, height: 64, pixels: new Uint8Array(64 * 64 * 3) };
const blankFace: Box = { x0: 0, y0: 0, x1: 64, y1: 64 };

/**
 * Loads the models of a profile from the weights folder and runs the stage of each once.
 * @throws Error that names the model which does not fit its descriptor.
 */
export async function openPipeline(
  folder: string,
  { profile, detector, landmarks, liveness }: ResolvedProfile,
  limits: DecodeLimits,
): Promise<Pipeline> {
  // Tried as a photograph would: what the descriptor says of the outputs is found wrong now, and no request pays for the
  // first run.
  async function open<Descriptor extends ModelDescriptor>(
    descriptor: Descriptor,
    tryStage: (model: Loaded<Descriptor>) => Promise<unknown>,
  ): Promise<Loaded<Descriptor>> {
    try {
      const session = await openSession(folder, descriptor);
      const model = { descriptor, session };
      await tryStage(model);
      return model;
    } catch (error) {
      throw new Error(
        `The weights of ${descriptor.id} do not fit their descriptor: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
  const heic = new HeicDecoder();
  const { session: detectorSession } = await open(detector, ({ session }) =>
    detect(blank, detector, session),
  );
  const landmarkModel: Loaded<LandmarkDescriptor> | undefined =
    landmarks &&
    (await open(landmarks, (model) => locateLandmarks(blank, [{ box: blankFace, score: 1 }], model)));
  const livenessModels: Loaded<LivenessDescriptor>[] = [];
  for (const { model } of liveness) {
    livenessModels.push(
      await open(model, ({ session }) => {
        const { inputs } = faceViews(blank, blankFace, [model]);
        return logOdds(inputs[0] as Float32Array, model, session);
      }),
    );
  }

  const livenessDescriptors = livenessModels.map(({ descriptor }) => descriptor);

  /** All stages after the first. */
  async function examine(frame: Frame, stage: RunStage): Promise<Omit<Assessment, 'timings'>> {
    const { faces: detections, tooSmall } = await stage('detect', () =>
      detect(frame, detector, detectorSession),
    );
    const landmarks = await stage('landmarks', () => locateLandmarks(frame, detections, landmarkModel));
    const crops = await stage('crop', () =>
      detections.map(({ box }) => faceViews(frame, box, livenessDescriptors)),
    );
    const scores = await stage('score', async () => {
      const all: number[][] = [];
      for (const { inputs } of crops) {
        const values: number[] = [];
        for (const [i, { descriptor, session }] of livenessModels.entries()) {
          values.push(await logOdds(inputs[i] as Float32Array, descriptor, session));
        }
        all.push(values);
      }
      return all;
    });
    const quality = await stage('quality', () => ({
      warnings: judgePicture(frame, detections.length),
      faces: detections.map(({ box }, i) => {
        const { luma } = crops[i] as (typeof crops)[number];
        const measures = measureFace(frame, box, landmarks[i] as (typeof landmarks)[number], luma);
        return { measures, warnings: judgeFace(measures) };
      }),
    }));
    const faces = await stage('decide', () =>
      detections.map((face, i) => {
        const values = scores[i] as number[];
        const pLive = fuse(values, profile);
        return {
          box: face.box,
          detectionScore: face.score,
          landmarks: landmarks[i] as (typeof landmarks)[number],
          pLive,
          verdicts: decide(pLive, profile),
          scores: livenessModels.map(({ descriptor }, m) => ({
            model: descriptor.id,
            logOdds: values[m] as number,
          })),
          ...(quality.faces[i] as (typeof quality.faces)[number]),
        };
      }),
    );

    const { format, width, height } = frame;
    return { image: { format, width, height }, faces, tooSmall, warnings: quality.warnings };
  }

  return {
    async assess(bytes, admitted, isAborted) {
      const { stage, timings } = stageRunner(isAborted);
      const frame = await stage('decode', () => decode(bytes, admitted, limits, heic));
      try {
        return { ...(await examine(frame, stage)), timings };
      } finally {
        free(frame.pixels);
      }
    },
  };
}

/** What is seen of a face. */
interface FaceViews {
  /** One for each liveness model. */
  readonly inputs: readonly Float32Array[];
  /** For the quality stage. */
  readonly luma: Float32Array;
}

/**
 * All views of a face, made in one pass over the frame. A face that fills the picture is all that there is to models that would look
 * further around it by different factors: they share one tensor.
 */
function faceViews(frame: Frame, box: Box, models: readonly LivenessDescriptor[]): FaceViews {
  const crops = models.map(({ crop, input }) => ({ region: cropRegion(box, frame, crop), input }));
  const views: readonly View[] = [lumaView(box), ...crops];
  const names = views.map((view) => JSON.stringify(view));
  const different = [...new Set(names)];
  const tensors = toTensors(
    frame,
    different.map((name) => views[names.indexOf(name)] as View),
  );
  const [luma, ...inputs] = names.map((name) => tensors[different.indexOf(name)]) as [
    Float32Array,
    ...Float32Array[],
  ];
  return { inputs, luma };
}

type RunStage = ReturnType<typeof stageRunner>['stage'];

function stageRunner(isAborted: () => boolean) {
  const timings: Partial<Record<StageName, number>> = {};
  async function stage<T>(name: StageName, run: () => T | Promise<T>): Promise<T> {
    if (isAborted()) throw new AssessmentError('aborted', 'The caller went away.');
    const start = performance.now();
    try {
      return await run();
    } catch (error) {
      if (error instanceof AssessmentError) throw error;
      throw new AssessmentError('engine_failure', `The ${name} stage failed.`, { cause: error });
    } finally {
      timings[name] = performance.now() - start;
    }
  }
  return { stage, timings };
}
