/** What can go wrong with a request before there is an image to look at. */

/** Why a request was refused. */
export type RequestErrorCode =
  /** Not what the dialect's schema says. */
  | 'invalid_request'
  | 'unsupported_media_type'
  | 'unauthorized'
  | 'not_found'
  | 'method_not_allowed'
  /** Not HTTP at all, or more of its head than a server reads. */
  | 'malformed_http'
  | 'headers_too_large'
  /** It did not arrive in time. */
  | 'request_timeout'
  /** As many requests are under way as the server takes. */
  | 'service_full'
  /** The server is shutting down. */
  | 'service_draining';

/** A request that was refused. `message` is a sentence for people and repeats nothing secret. */
export class RequestError extends Error {
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
  }
}
