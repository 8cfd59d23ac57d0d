/** Sessions in the admin API: signing in with an admin token, who is signed in, and signing out. */

import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import type { Sessions } from '../../storage/sessions.ts';
import { type Authentication, requireOwnPage, sessionCookie } from './authentication.ts';
import * as examples from './examples.ts';
import { Deleted, one, operation, SessionBody, SignIn, toSession } from './wire.ts';

/** Longest body of somebody who has not proved anything yet, in bytes. */
const bodyLimit = 4_096;

/** The one operation that asks for no proof, as it takes it. */
export function describeSignIn(app: FastifyInstance, sessions: Sessions, { ownerOf }: Authentication): void {
  app.post<{ Body: Static<typeof SignIn> }>(
    '/session',
    {
      bodyLimit,
      schema: {
        ...operation('signIn', 'Begin a session of the console', one(SessionBody, examples.session)),
        description:
          "For the console's own pages: the answer sets a cookie that no script can read, good for 12 hours, until `DELETE`, or until the token ends. Programs send the token with every request instead.",
        security: [],
        body: one(SignIn, examples.signIn),
      },
      // Another page must not sign a browser in as somebody else.
      onRequest: async (request) => requireOwnPage(request),
    },
    async (request, reply) => {
      const administrator = await ownerOf(request.body.token, request);
      request.administrator = administrator;
      const { session, secret } = await sessions.begin(administrator);
      reply.setCookie(sessionCookie, secret, {
        ...attributes(request.headers.origin),
        maxAge: Math.floor((session.expiresAt - Date.now()) / 1000),
      });
      return toSession(administrator, session);
    },
  );
}

export function describeSession(app: FastifyInstance, sessions: Sessions): void {
  app.get(
    '/session',
    {
      schema: {
        ...operation('getSession', 'Who is signed in', one(SessionBody, examples.session)),
        description: 'Of the session, or of the token that was sent instead.',
      },
    },
    async ({ administrator, session }) => {
      if (administrator === undefined) throw new TypeError('A request was let in without its administrator.');
      return toSession(administrator, session);
    },
  );

  app.delete(
    '/session',
    {
      schema: {
        ...operation('signOut', 'End the session', one(Deleted, { deleted: 1 })),
        description: 'At once, on every node. `deleted` is 0 where a token was sent instead of a cookie.',
      },
    },
    async (request, reply) => {
      reply.clearCookie(sessionCookie, attributes(request.headers.origin));
      const { session } = request;
      return { deleted: session !== undefined && (await sessions.end(session.hash)) ? 1 : 0 };
    },
  );
}

/**
 * Of the cookie: out of reach of scripts, other sites and the dialects.
 * @param origin of the page, which tells of TLS also behind a proxy whose headers are not believed.
 */
function attributes(origin: string | undefined) {
  return {
    path: '/admin/v1',
    httpOnly: true,
    sameSite: 'strict',
    secure: origin?.startsWith('https:') ?? false,
  } as const;
}
