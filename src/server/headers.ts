/** What every answer tells a browser or a cache: that it is data, for who asked for it, and for nobody else. */

/** Of all answers; the console's files, which are pages and the same for everybody, have their own beside them. */
export const guardHeaders: Readonly<Record<string, string>> = {
  // Answers tell of persons, or hold a key that is told once.
  'cache-control': 'no-store',
  // An answer that repeats what was sent must not be run as a page, whatever somebody makes of its type.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  // None of it belongs into a page of another origin; pages that CORS lets ask are not meant by this.
  'cross-origin-resource-policy': 'same-origin',
  // An appKey is a part of the path.
  'referrer-policy': 'no-referrer',
};
