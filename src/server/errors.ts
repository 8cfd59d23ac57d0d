/** What can go wrong with a request before there is an image to look at. */

/** Why a request was refused. */
export type RequestErrorCode =
  /** Not what the dialect's schema says. */
  | 'invalid_request'
  | 'unsupported_media_type'
  | 'unauthorized'
  /** The address has sent so many wrong keys that the next is not even looked up. */
  | 'too_many_wrong_keys'
  /** More requests per second, or per day and month, than the key or its app may send. */
  | 'rate_limited'
  | 'quota_exceeded'
  | 'not_found'
  /** It is there already, or no longer in a state in which this can be done. */
  | 'conflict'
  /** Of a file of the console: a condition on it that does not hold, or a part of it that there is not. */
  | 'precondition_failed'
  | 'range_not_satisfiable'
  | 'method_not_allowed'
  /** Not HTTP at all, or more of its head than a server reads. */
  | 'malformed_http'
  | 'headers_too_large'
  /** It did not arrive in time. */
  | 'request_timeout'
  /** As many requests are under way as the server takes. */
  | 'service_full'
  /** The server is shutting down. */
  | 'service_draining'
  /** The key is not known here, and the database that would know does not answer; or it takes no changes. */
  | 'storage_unavailable'
  /** The transaction could not be kept, so it must not be answered. */
  | 'log_unavailable';

/** A request that was refused. `message` is a sentence for people and repeats nothing secret. */
export class RequestError extends Error {
  readonly code: RequestErrorCode;
  /** When to try again, where that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: RequestErrorCode, message: string, retryAfterSeconds?: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RequestError';
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
