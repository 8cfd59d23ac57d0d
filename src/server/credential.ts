/** The first credential: made on the first start, kept in the data folder, readable by its owner only. */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

const Credential = Type.Object(
  {
    /** NHN dialect: names the app, in the path. */
    appKey: Type.String({ minLength: 8 }),
    /** NHN dialect: proves it, in the Authorization header. */
    secretKey: Type.String({ minLength: 16 }),
    /** ARGOS dialect and native API, in the x-api-key header. */
    apiKey: Type.String({ minLength: 16 }),
  },
  { additionalProperties: false },
);
export type Credential = Static<typeof Credential>;

/** Where the credential of a data folder is kept. */
export function credentialPath(dataFolder: string): string {
  return join(dataFolder, 'credential.json');
}

/**
 * Reads the credential, or makes one where there is none yet.
 * @throws Error with a sentence when the file is not what it should be.
 */
export async function ensureCredential(
  dataFolder: string,
): Promise<{ credential: Credential; created: boolean }> {
  await mkdir(dataFolder, { recursive: true });
  const path = credentialPath(dataFolder);
  const credential: Credential = {
    appKey: randomBytes(12).toString('base64url'),
    secretKey: randomBytes(24).toString('base64url'),
    apiKey: randomBytes(24).toString('base64url'),
  };
  try {
    // `wx` fails where the file exists, so of two servers that start together one makes it and the other reads it.
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(credential, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    return { credential, created: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { credential: await readCredential(path), created: false };
  }
}

async function readCredential(path: string): Promise<Credential> {
  try {
    return Value.Parse(Credential, JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new Error(`${path} does not hold a credential. Move it away, and the next start makes a new one.`, {
      cause: error,
    });
  }
}
