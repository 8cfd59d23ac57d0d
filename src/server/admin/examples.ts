/** Examples for the admin API: an app named shop, its keys, and what came of one request. */

import type { Static } from 'typebox';
import type {
  AdminTokenBody,
  AppBody,
  KeyBody,
  ModelsBody,
  NewAdminToken,
  NewApp,
  NewKey,
  NewLimits,
  ReportsBody,
  Rotation,
  SessionBody,
  SignIn,
  TransactionBody,
  UsageCounts,
} from './wire.ts';

export const app: Static<typeof AppBody> = {
  id: 'app_6f1d0c5be2a94713',
  appKey: 'Zp3fQx0aK9mV1cRt',
  name: 'shop',
  limits: { perSecond: 20, perMonth: 100_000 },
  createdAt: '2026-11-02T09:30:00.000Z',
  revokedAt: null,
};

export const revokedApp: typeof app = { ...app, revokedAt: '2026-11-21T17:02:11.004Z' };

export const newApp: Static<typeof NewApp> = {
  name: 'shop',
  limits: { perSecond: 20, perMonth: 100_000 },
};

export const newLimits: Static<typeof NewLimits> = {
  limits: { perSecond: 20, burst: 40, perMonth: 100_000 },
};

export const limitedApp: typeof app = { ...app, limits: newLimits.limits };

export const key: Static<typeof KeyBody> = {
  id: 'key_0123456789abcdef',
  app: app.id,
  kind: 'api',
  name: 'mobile',
  scopes: ['native'],
  limits: {},
  prefix: 'bfa_exampl',
  createdBy: 'admin token first',
  createdAt: '2026-11-02T09:31:12.480Z',
  expiresAt: '2099-12-31T00:00:00.000Z',
  revokedAt: null,
  lastUsedAt: '2026-11-21T17:02:11.004Z',
  replacedBy: null,
};

export const limitedKey: typeof key = { ...key, limits: newLimits.limits };
export const revokedKey: typeof key = { ...key, revokedAt: '2026-11-21T17:05:40.731Z' };

export const newKey: Static<typeof NewKey> = {
  kind: 'api',
  name: 'mobile',
  scopes: ['native'],
  expiresAt: '2099-12-31T00:00:00.000Z',
};

/** No key: those have 32 characters after their mark. */
const secret = (mark: string) => `${mark}example`;

export const madeKey = { key: { ...key, lastUsedAt: null }, secret: secret('bfa_') };

export const rotation: Static<typeof Rotation> = { graceSeconds: 86_400 };

export const rotatedKey = {
  ...madeKey,
  key: { ...madeKey.key, id: 'key_fedcba9876543210', createdAt: '2026-11-21T17:05:40.731Z' },
};

export const adminToken: Static<typeof AdminTokenBody> = {
  id: 'adm_89abcdef01234567',
  name: 'deployment',
  prefix: 'bft_exampl',
  createdBy: 'admin token first',
  createdAt: '2026-11-02T09:31:12.480Z',
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};

export const revokedAdminToken: typeof adminToken = {
  ...adminToken,
  revokedAt: '2026-11-21T17:05:40.731Z',
};

export const newAdminToken: Static<typeof NewAdminToken> = { name: 'deployment' };
export const madeAdminToken = { adminToken, secret: secret('bft_') };

export const transaction: Static<typeof TransactionBody> = {
  id: 'e0nvom3caiis7',
  time: '2026-11-21T17:02:10.871Z',
  app: app.id,
  key: key.id,
  dialect: 'native',
  mode: 'balanced',
  outcome: 'attack',
  status: 200,
  faces: 1,
  pLive: [0.008862],
  verdicts: [{ weak: 'attack', balanced: 'attack', strict: 'attack' }],
  profile: 'standard',
  models: [
    {
      id: 'minifas-128-head',
      sha256: 'afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d',
    },
  ],
  calibrationSha256: null,
  imageSha256: '07815d837e3a68f5f4ee5576b3ea4ad4c7c1526c0086cf488febf0b696bbb969',
  imageBytes: 1700,
  imageFormat: 'jpeg',
  width: 160,
  height: 200,
  timings: {
    decode: 10.95,
    detect: 8.38,
    landmarks: 0.89,
    crop: 1.46,
    score: 6.99,
    quality: 0.66,
    decide: 0.02,
  },
  totalMs: 31.4,
  client: '203.0.113.0/24',
  tag: 'session-42',
  seenBefore: null,
};

export const usage: Static<typeof UsageCounts> = {
  usage: [
    { count: 412, day: '2026-11-21', outcome: 'live' },
    { count: 9, day: '2026-11-21', outcome: 'attack' },
  ],
};

export const signIn: Static<typeof SignIn> = { token: secret('bft_') };

export const session: Static<typeof SessionBody> = {
  administrator: { id: adminToken.id, name: adminToken.name },
  expiresAt: '2026-11-22T05:05:40.731Z',
};

export const models: Static<typeof ModelsBody> = {
  profile: {
    id: 'yours',
    title: 'One network of your own',
    calibration: { slopeBelow: 1, slopeAbove: 1, intercept: 0 },
    calibrationSha256: null,
    operatingPoints: {
      weak: { threshold: 0.2, apcer: 0.12, bpcer: 0.01 },
      balanced: { threshold: 0.5, apcer: 0.05, bpcer: 0.04 },
      strict: { threshold: 0.9, apcer: 0.01, bpcer: 0.2 },
    },
  },
  models: [
    {
      id: 'minifas-128-head',
      title: 'MiniFAS 128 with a head of our own',
      task: 'liveness',
      weight: 1,
      licence: 'Apache-2.0',
      origin: 'The network of minifas-128; the head fitted by scripts/fit-head.ts',
      source: null,
      sha256: 'afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d',
      weights: 'ok',
      tunedSha256: 'd5de08f57690253476f56e3d28d08b6bfaebc55c2bad2546e3a1f106cbfd21bb',
    },
  ],
};

export const report: Static<typeof ReportsBody>['reports'][number] = {
  origin: 'own',
  name: 'office',
  profile: 'standard',
  pictures: 1275,
  sentence: 'With one threshold for every camera, standard turns away about 1 in 10 people.',
  eer: { value: 0.105, low: 0.059, high: 0.163 },
  writtenAt: '2026-11-21T17:05:40.731Z',
};

/** What the transaction is in an export. */
export const csv = `id,time,app,key,dialect,mode,outcome,status,faces,pLive,verdicts,profile,models,calibrationSha256,imageSha256,imageBytes,imageFormat,width,height,timings,totalMs,client,tag,seenBefore
b7k2m4x0q7z1c,2026-11-21T17:04:00.120Z,app_6f1d0c5be2a94713,key_0123456789abcdef,native,balanced,invalid_base64,400,,,,standard,,,,,,,,,1.9,203.0.113.0/24,session-42,
`;
export const ndjson = `${JSON.stringify(transaction)}\n`;
