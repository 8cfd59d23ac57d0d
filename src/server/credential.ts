/** The first credential: made on the first start, kept in the data folder, readable by its owner only. */

import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
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

/** A credential that cannot be read. `message` is a sentence for people. */
export class CredentialError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CredentialError';
  }
}

/**
 * Reads the credential, or makes one where there is none yet.
 * @throws CredentialError when the file is not what it should be.
 */
export async function ensureCredential(
  dataFolder: string,
): Promise<{ credential: Credential; created: boolean }> {
  const path = credentialPath(dataFolder);
  if (existsSync(path)) return { credential: await readCredential(path), created: false };
  const credential: Credential = {
    appKey: randomBytes(12).toString('base64url'),
    secretKey: randomBytes(24).toString('base64url'),
    apiKey: randomBytes(24).toString('base64url'),
  };
  await mkdir(dataFolder, { recursive: true });
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(temporary, `${JSON.stringify(credential, null, 2)}\n`, { mode: 0o600, flush: true });
    // A link takes the name only if it is free, and whole: of two servers that start together one makes the credential
    // and the other reads it.
    await link(temporary, path);
    return { credential, created: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { credential: await readCredential(path), created: false };
  } finally {
    await rm(temporary, { force: true });
  }
}

async function readCredential(path: string): Promise<Credential> {
  const text = await readFile(path, 'utf8');
  try {
    return Value.Parse(Credential, JSON.parse(text));
  } catch (error) {
    throw new CredentialError(
      `${path} does not hold a credential. Move it away, and the next start makes a new one.`,
      { cause: error },
    );
  }
}
