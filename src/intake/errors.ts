/** What can go wrong between a request and a bounded buffer of image bytes. */

/** Why no image bytes could be obtained from what the client sent. */
export type IntakeErrorCode =
  /** The text is not canonical base64 (a MIME prefix left on counts as this). */
  | 'invalid_base64'
  /** Not an http(s) URL on an allowed port, or one that carries credentials. */
  | 'url_invalid'
  /** The URL, or one it redirects to, leads to an address that is not public. */
  | 'url_blocked'
  /** Name resolution, connection or transfer failed. */
  | 'url_unreachable'
  /** The server answered with something else than 200. */
  | 'url_bad_status'
  /** The answer is declared to be no image. */
  | 'url_not_an_image'
  /** The download did not finish in time. */
  | 'url_timeout'
  /** The image has more bytes than the limit. */
  | 'too_many_bytes';

/** No image bytes. `message` is a sentence for people and never repeats the URL. */
export class IntakeError extends Error {
  readonly code: IntakeErrorCode;

  constructor(code: IntakeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'IntakeError';
    this.code = code;
  }
}
