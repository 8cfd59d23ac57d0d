/** The models in use in the admin API: which files answer, whose they are, and how their scores become verdicts. */

import type { FastifyInstance } from 'fastify';
import { verifyWeights } from '../../models/weights.ts';
import * as examples from './examples.ts';
import type { AdminServices } from './routes.ts';
import { ModelsBody, one, operation, toModels } from './wire.ts';

export function describeModels(
  app: FastifyInstance,
  { profile, profileNote, modelsFolder }: Pick<AdminServices, 'profile' | 'profileNote' | 'modelsFolder'>,
): void {
  app.get(
    '/models',
    {
      schema: {
        ...operation('getModels', 'The models in use, and their hashes', one(ModelsBody, examples.models)),
        description:
          'Each file is read and hashed anew: `weights` tells whether it is the one that is pinned.',
      },
    },
    async () => {
      const weights = new Map<string, 'ok' | 'missing' | 'damaged'>();
      for (const model of profile.models) weights.set(model.id, await verifyWeights(modelsFolder, model));
      return toModels(profile, profileNote, weights);
    },
  );
}
