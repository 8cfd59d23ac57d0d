/** The models in use in the admin API: which files answer, whose they are, and how their scores become verdicts. */

import type { FastifyInstance } from 'fastify';
import { tunedSha256 } from '../../models/tuning/store.ts';
import { verifyWeights } from '../../models/weights.ts';
import * as examples from './examples.ts';
import type { AdminServices } from './routes.ts';
import { type ModelFiles, ModelsBody, one, operation, toModels } from './wire.ts';

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
          'Each file is read and hashed anew: `weights` tells whether it is the one that is pinned, and `tunedSha256` which graph a start would run in its place.',
      },
    },
    async () => {
      const files = new Map<string, ModelFiles>();
      for (const model of profile.models) {
        const weights = await verifyWeights(modelsFolder, model);
        files.set(model.id, { weights, tunedSha256: await tunedSha256(modelsFolder, model) });
      }
      return toModels(profile, profileNote, files);
    },
  );
}
