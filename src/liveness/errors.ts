/** What can go wrong inside the engine, as a closed set of codes that every dialect maps to its own words. */

/** Why an image could not be assessed. "No face found" is an answer, not an error, and is not in this list. */
export type EngineErrorCode =
  /** More bytes, pixels or frames than the limits allow. */
  | 'image_too_large'
  /** The bytes are no image of a format the caller admits. */
  | 'unsupported_format'
  /** The format is admitted, but the picture is damaged or cut short. */
  | 'undecodable_image'
  /** The queue in front of the workers is full. */
  | 'queue_full'
  /** The deadline passed before the answer was ready. */
  | 'deadline_exceeded'
  /** The caller went away. */
  | 'aborted'
  /** The worker holding this image died; it has been replaced. */
  | 'worker_died'
  /** A defect of ours. */
  | 'engine_failure';

/** An image that was not assessed. `message` is a sentence for people and carries no path, no image data and no stack. */
export class AssessmentError extends Error {
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AssessmentError';
    this.code = code;
  }
}
