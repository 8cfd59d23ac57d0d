/** The admin API, `/admin/v1`: what there is to operate, for who has an admin token or signed in with one. */

import cookies from '@fastify/cookie';
import type { FastifyPluginAsync } from 'fastify';
import type { ResolvedProfile } from '../../models/registry.ts';
import type { Availability } from '../../storage/availability.ts';
import type { Storage } from '../../storage/database.ts';
import { Keys } from '../../storage/keys.ts';
import { Sessions } from '../../storage/sessions.ts';
import type { Reports } from '../reports.ts';
import type { WrongKeys } from '../wrong-keys.ts';
import { describeApps } from './apps.ts';
import { createAuthentication } from './authentication.ts';
import { describeKeys } from './keys.ts';
import { describeModels } from './models.ts';
import { describeReports } from './reports.ts';
import { describeSession, describeSignIn } from './session.ts';
import { describeTransactions } from './transactions.ts';
import { describeUsage } from './usage.ts';

/** What the admin API works with. */
export interface AdminServices {
  readonly storage: Storage;
  readonly availability: Availability;
  readonly wrongKeys: WrongKeys;
  readonly profile: ResolvedProfile;
  /** Why the profile in use is not the one hoped for, in a sentence. */
  readonly profileNote: string | undefined;
  /** Where the weights are. */
  readonly modelsFolder: string;
  readonly reports: Reports;
}

/** The routes below `/admin/v1`. */
export function admin(services: AdminServices): FastifyPluginAsync {
  const { storage, availability, wrongKeys } = services;
  const keys = new Keys(storage.db);
  const sessions = new Sessions(storage.db);
  const authentication = createAuthentication({ availability, wrongKeys, keys, sessions });
  return async (app) => {
    await app.register(cookies);
    // Who did what, beside the one line of every request: what is changed here decides who is let in.
    app.addHook('onResponse', async (request, reply) => {
      const { administrator, method, params, routeOptions } = request;
      if (administrator === undefined) return;
      const { statusCode: status } = reply;
      // Of what was refused they may be anything, also a key in the place of its id.
      const done = status < 400 && { params };
      request.log.info(
        { admin: administrator.id, method, route: routeOptions.url, ...done, status },
        'admin request',
      );
    });
    describeSignIn(app, sessions, authentication);
    await app.register(async (known) => {
      known.addHook('onRequest', authentication.identify);
      describeSession(known, sessions);
      describeApps(known, keys);
      describeKeys(known, keys);
      describeTransactions(known, storage, keys);
      describeUsage(known, storage, keys);
      describeModels(known, services);
      describeReports(known, services.reports);
    });
  };
}
