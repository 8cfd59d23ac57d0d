/** Who may ask: compares what a client sent with the credential, in constant time. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Credential } from './credential.ts';

export interface Authenticator {
  /** NHN dialect: the appKey of the path and the secretKey of the Authorization header belong together. */
  acceptsSecret(appKey: string, secretKey: string | undefined): boolean;
  /** ARGOS dialect and native API: the x-api-key header. */
  acceptsApiKey(apiKey: string | string[] | undefined): boolean;
}

export function createAuthenticator({ appKey, secretKey, apiKey }: Credential): Authenticator {
  const expectedApp = digest(appKey);
  const expectedSecret = digest(secretKey);
  const expectedApi = digest(apiKey);
  return {
    acceptsSecret(app, secret) {
      // Both are compared in any case, so that time does not tell which of them was wrong.
      const appMatches = timingSafeEqual(digest(app), expectedApp);
      const secretMatches = timingSafeEqual(digest(secret ?? ''), expectedSecret);
      return appMatches && secretMatches;
    },
    acceptsApiKey(key) {
      return typeof key === 'string' && timingSafeEqual(digest(key), expectedApi);
    },
  };
}

/** Equal length for every input, as the comparison needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
