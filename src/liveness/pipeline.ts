/** From bytes to an assessment: the ordered list of stages, and the runner that alone times, aborts and maps errors. */

import type { LandmarkDescriptor, LivenessDescriptor } from '../models/descriptor.ts';
import type { ResolvedProfile } from '../models/registry.ts';
import { openSession, type Session } from '../models/session.ts';
import { toTensor, valueCount } from '../models/tensor.ts';
import { weightsPath } from '../models/weights.ts';
import { cropRegion } from './crop.ts';
import { decide, fuse } from './decide.ts';
import { type DecodeLimits, decode } from './decode.ts';
import { detect } from './detect.ts';
import { AssessmentError } from './errors.ts';
import { HeicDecoder } from './heic.ts';
import { locateLandmarks } from './landmarks.ts';
import { judgeFace, judgePicture } from './quality.ts';
import { logOdds } from './score.ts';
import type { Assessment, ImageFormat } from './types.ts';

/** The names of the stages, in their order; `timings` has one entry for each. */
export const stageNames = ['decode', 'detect', 'landmarks', 'crop', 'score', 'quality', 'decide'] as const;
export type StageName = (typeof stageNames)[number];

interface Loaded<Descriptor> {
  readonly descriptor: Descriptor;
  readonly session: Session;
}

/** A profile's models, loaded and run once. */
export interface Pipeline {
  /**
   * Assesses one photograph.
   * @param admitted the formats this caller takes.
   * @param isAborted asked before every stage; when it says yes, the rest is not done.
   * @throws AssessmentError
   */
  assess(bytes: Uint8Array, admitted: readonly ImageFormat[], isAborted: () => boolean): Promise<Assessment>;
}

/** Loads the models of a profile from the weights folder and runs each once. */
export async function openPipeline(
  folder: string,
  { profile, detector, landmarks, liveness }: ResolvedProfile,
  limits: DecodeLimits,
): Promise<Pipeline> {
  const open = async (descriptor: ResolvedProfile['models'][number]): Promise<Session> => {
    try {
      const session = await openSession(weightsPath(folder, descriptor), descriptor.input);
      // Run once: a file that does not fit its descriptor stops the start, and no request pays for the first run.
      await session.run(new Float32Array(valueCount(descriptor.input)));
      return session;
    } catch (error) {
      throw new Error(`The weights of ${descriptor.id} do not run: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
  const heic = new HeicDecoder();
  const detectorSession = await open(detector);
  const landmarkModel: Loaded<LandmarkDescriptor> | undefined = landmarks && {
    descriptor: landmarks,
    session: await open(landmarks),
  };
  const livenessModels: Loaded<LivenessDescriptor>[] = [];
  for (const { model } of liveness) livenessModels.push({ descriptor: model, session: await open(model) });

  return {
    async assess(bytes, admitted, isAborted) {
      const { stage, timings } = stageRunner(isAborted);

      const frame = await stage('decode', () => decode(bytes, admitted, limits, heic));
      const { faces: detections, tooSmall } = await stage('detect', () =>
        detect(frame, detector, detectorSession),
      );
      const landmarks = await stage('landmarks', () => locateLandmarks(frame, detections, landmarkModel));
      const crops = await stage('crop', () =>
        detections.map(({ box }) =>
          livenessModels.map(({ descriptor: { crop, input } }) =>
            toTensor(frame, cropRegion(box, frame, crop), input),
          ),
        ),
      );
      const scores = await stage('score', async () => {
        const all: number[][] = [];
        for (const inputs of crops) {
          const values: number[] = [];
          for (const [i, { descriptor, session }] of livenessModels.entries()) {
            values.push(await logOdds(inputs[i] as Float32Array, descriptor, session));
          }
          all.push(values);
        }
        return all;
      });
      const warnings = await stage('quality', () => ({
        picture: judgePicture(frame, detections.length),
        faces: detections.map((face, i) =>
          judgeFace(frame, face, landmarks[i] as (typeof landmarks)[number]),
        ),
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
            warnings: warnings.faces[i] as (typeof warnings.faces)[number],
          };
        }),
      );

      const { format, width, height } = frame;
      return { image: { format, width, height }, faces, tooSmall, warnings: warnings.picture, timings };
    },
  };
}

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
