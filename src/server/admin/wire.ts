/** The admin API on the wire: its schemas, and the way from what is stored to what is answered. */

import { type Static, type TSchema, Type } from 'typebox';
import { problem } from '../../dialects/native/wire.ts';
import type { ModelDescriptor } from '../../models/descriptor.ts';
import type { ResolvedProfile } from '../../models/registry.ts';
import {
  type AdminToken,
  type App,
  type Key,
  maxGraceSeconds,
  maxName,
  scopesOf,
} from '../../storage/keys.ts';
import type { Session } from '../../storage/sessions.ts';
import type { TransactionFilter } from '../../storage/transactions.ts';
import { usageParts } from '../../storage/usage.ts';
import { RequestError } from '../errors.ts';
import { withExamples } from '../examples.ts';
import { reportName } from '../reports.ts';
import { adminToken, app, csv, key, ndjson, report, transaction } from './examples.ts';

const strict = { additionalProperties: false } as const;

/** Of a path or a query: what Postgres can compare a text with. */
const Text = (options: { description?: string; minLength?: number; examples?: string[] } = {}) =>
  Type.String({ pattern: '^[^\\u0000]*$', ...options });

/** Of a query, where everything is text. */
const Count = (description: string) => Type.String({ pattern: '^[1-9][0-9]{0,2}$', description });

const Time = (description: string) => Type.String({ format: 'date-time', description });
const OptionalTime = (description: string) =>
  Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description });
const optional = {
  text: Type.Union([Type.String(), Type.Null()]),
  integer: Type.Union([Type.Integer(), Type.Null()]),
};

const Limit = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }));

export const LimitsBody = Type.Object(
  {
    perSecond: Limit('Requests per second.'),
    burst: Limit('Requests at once on top of perSecond, which it needs.'),
    perDay: Limit('Requests per day in UTC.'),
    perMonth: Limit('Requests per month in UTC.'),
  },
  { ...strict, description: 'What is left out is unlimited.' },
);

const Name = Type.String({ minLength: 1, maxLength: maxName });

export const NewApp = Type.Object({ name: Name, limits: Type.Optional(LimitsBody) }, strict);

export const NewLimits = Type.Object({ limits: LimitsBody }, strict);

const scopes = [...scopesOf.secret, ...scopesOf.api];

export const NewKey = Type.Object(
  {
    kind: Type.Enum(['secret', 'api'], {
      description: 'secret: for the Authorization header of the NHN dialect; api: for x-api-key.',
    }),
    name: Name,
    scopes: Type.Optional(
      Type.Array(Type.Enum(scopes), {
        minItems: 1,
        description: 'The APIs it is for; a secret is for nhn, an api key for argos, native or both.',
      }),
    ),
    limits: Type.Optional(LimitsBody),
    expiresAt: Type.Optional(Time('When it ends; without it, never.')),
  },
  strict,
);

export const Rotation = Type.Object(
  {
    graceSeconds: Type.Integer({
      minimum: 0,
      maximum: maxGraceSeconds,
      description: 'How long the old key is good beside the new one.',
    }),
  },
  strict,
);

export const NewAdminToken = Type.Object(
  { name: Name, expiresAt: Type.Optional(Time('When it ends; without it, never.')) },
  strict,
);

export const SignIn = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 1_000, description: 'An admin token.' }) },
  strict,
);

const AppBody = Type.Object({
  id: Type.String(),
  appKey: Type.String({ description: 'Names the app in the path of the NHN dialect.' }),
  name: Type.String(),
  limits: LimitsBody,
  createdAt: Time('When it was made.'),
  revokedAt: OptionalTime('Since when none of its keys is good.'),
});

const ending = {
  prefix: Type.String({ description: 'Its first characters.' }),
  createdBy: Type.String(),
  createdAt: Time('When it was made.'),
  expiresAt: OptionalTime('When it ends.'),
  revokedAt: OptionalTime('When it was ended before its time, by itself or with its app.'),
  lastUsedAt: OptionalTime('Within a minute.'),
};

const KeyBody = Type.Object({
  id: Type.String(),
  app: Type.String({ description: 'Id of its app.' }),
  kind: Type.Enum(['secret', 'api']),
  name: Type.String(),
  scopes: Type.Array(Type.Enum(scopes)),
  limits: LimitsBody,
  ...ending,
  replacedBy: Type.Union([Type.String(), Type.Null()], {
    description: 'Id of the key that took its place.',
  }),
});

const AdminTokenBody = Type.Object({ id: Type.String(), name: Type.String(), ...ending });

const TransactionBody = Type.Object({
  id: Type.String({ description: 'The request id of every API; ARGOS calls it transactionId.' }),
  time: Time('When the request began.'),
  app: Type.String({ description: 'Id of the app.' }),
  key: Type.String({ description: 'Id of the key.' }),
  dialect: Type.String(),
  mode: Type.Union([Type.String(), Type.Null()], { description: 'The operating point of the answer.' }),
  outcome: Type.String({ description: 'live, attack, why there is no verdict, or a failure code.' }),
  status: Type.Integer({ description: 'HTTP status of the answer.' }),
  faces: Type.Union([Type.Integer(), Type.Null()], {
    description: 'How many were assessed; null where the image was not.',
  }),
  pLive: Type.Union([Type.Array(Type.Number()), Type.Null()], {
    description: 'Probability of a live person, for each face, largest first.',
  }),
  verdicts: Type.Union([Type.Array(Type.Record(Type.String(), Type.String())), Type.Null()], {
    description: 'For each face, by operating point.',
  }),
  profile: optional.text,
  models: Type.Union([Type.Array(Type.Object({ id: Type.String(), sha256: Type.String() })), Type.Null()]),
  calibrationSha256: optional.text,
  imageSha256: optional.text,
  imageBytes: optional.integer,
  imageFormat: optional.text,
  width: optional.integer,
  height: optional.integer,
  timings: Type.Union([Type.Record(Type.String(), Type.Number()), Type.Null()], {
    description: 'Milliseconds per stage.',
  }),
  totalMs: Type.Number({ description: 'Milliseconds from the beginning of the request to its answer.' }),
  client: Type.Union([Type.String(), Type.Null()], {
    description: "The client's address, as far as it is kept.",
  }),
  tag: optional.text,
  seenBefore: Type.Union([Type.String(), Type.Null()], {
    description: 'Id of the last transaction with the same image.',
  }),
});

const UsageBody = Type.Object({
  day: Type.Optional(Type.String({ description: 'In UTC.' })),
  app: Type.Optional(Type.String()),
  key: Type.Optional(Type.String()),
  dialect: Type.Optional(Type.String()),
  outcome: Type.Optional(Type.String()),
  count: Type.Integer(),
});

export const SessionBody = Type.Object({
  administrator: Type.Object({
    id: Type.String({ description: 'Id of the admin token.' }),
    name: Type.String(),
  }),
  expiresAt: OptionalTime('When the session ends, or without one the token; null where it does not.'),
});

const Rates = Type.Object({
  threshold: Type.Number({ description: 'A face is live from this P(live) on.' }),
  apcer: Type.Number({ description: 'Highest share of attacks of one species taken for live, 0 to 1.' }),
  bpcer: Type.Number({ description: 'Share of people taken for attacks, 0 to 1.' }),
});

export const ModelsBody = Type.Object({
  profile: Type.Object({
    id: Type.String(),
    title: Type.String(),
    note: Type.Optional(Type.String({ description: 'Why it is not the one hoped for.' })),
    calibration: Type.Object(
      { slopeBelow: Type.Number(), slopeAbove: Type.Number(), intercept: Type.Number() },
      {
        description:
          'P(live) = sigmoid(intercept - slopeBelow x ln(1 + exp(-s)) + slopeAbove x ln(1 + exp(s))), s = sum(weight x log-odds).',
      },
    ),
    calibrationSha256: Type.Union([Type.String(), Type.Null()], {
      description: "Of the file that took the place of the profile's own calibration.",
    }),
    operatingPoints: Type.Object({ weak: Rates, balanced: Rates, strict: Rates }),
  }),
  models: Type.Array(
    Type.Object({
      id: Type.String(),
      title: Type.String(),
      task: Type.Enum(['detect', 'landmarks', 'liveness'], {
        description: 'Finds faces, finds the five points, or tells people from attacks.',
      }),
      weight: Type.Union([Type.Number(), Type.Null()], {
        description: 'Of its log-odds among those of the profile; null for another task.',
      }),
      licence: Type.String({ description: 'SPDX identifier.' }),
      origin: Type.String({ description: 'Who made it, and what is known of its training data.' }),
      source: Type.Union([Type.String(), Type.Null()], {
        description:
          "Where its weights come from: a file of an npm package, or an address; null for one's own.",
      }),
      sha256: Type.String({ description: 'As its descriptor pins it.' }),
      weights: Type.Enum(['ok', 'missing', 'damaged'], {
        description: 'Whether the file on the disk is now what is pinned. The server starts with no other.',
      }),
      tunedSha256: Type.Union([Type.String(), Type.Null()], {
        description:
          'Of the graph on the disk that was made of the weights and says the same in less time; null where there is none, and a start runs the weights themselves.',
      }),
    }),
    { description: 'In the order in which they are used.' },
  ),
});

const Bound = Type.Union([Type.Number(), Type.Null()]);

export const ReportsBody = Type.Object({
  reports: Type.Array(
    Type.Object({
      origin: Type.Enum(['shipped', 'own'], {
        description: 'With the product, or in the folder evaluations of the data folder.',
      }),
      name: Type.String({ description: 'Of its folder.' }),
      profile: Type.String(),
      pictures: Type.Integer({ description: 'Of the manifest.' }),
      sentence: Type.String({ description: 'What was found.' }),
      eer: Type.Union([Type.Object({ value: Type.Number(), low: Bound, high: Bound }), Type.Null()], {
        description: 'Equal error rate with its 95 % interval, 0 to 1.',
      }),
      writtenAt: OptionalTime("When one's own was written."),
    }),
  ),
});

export const reportFigures = {
  description: 'What `bonafide evaluate` wrote as report.json.',
  content: {
    'application/json': {
      schema: Type.Object({}, { additionalProperties: true }),
      example: { sentence: report.sentence, eer: report.eer },
    },
  },
};

export const reportPage = {
  description: 'What `bonafide evaluate` wrote as report.html. It loads nothing and runs nothing.',
  content: { 'text/html': { schema: Type.String(), example: '<!doctype html><title>standard</title>' } },
};

export const ReportParams = Type.Object({
  origin: Type.Enum(['shipped', 'own'], { description: 'As the list of reports has it.' }),
  report: Type.String({ pattern: reportName, description: 'Name of its folder.', examples: ['standard'] }),
});

const Next = Type.Optional(
  Type.String({ description: 'The cursor of the next page; not there after the last.' }),
);

export const Apps = Type.Object({ apps: Type.Array(AppBody), next: Next });
export const Keys = Type.Object({ keys: Type.Array(KeyBody), next: Next });
export const AdminTokens = Type.Object({ adminTokens: Type.Array(AdminTokenBody), next: Next });
export const Transactions = Type.Object({
  transactions: Type.Array(TransactionBody, {
    description: 'Newest first. With a filter that fits few, a page may have fewer than `limit`, or none.',
  }),
  next: Next,
});
export const UsageCounts = Type.Object({ usage: Type.Array(UsageBody), next: Next });
export { AdminTokenBody, AppBody, KeyBody, TransactionBody };

const Secret = (description: string) => Type.String({ description: `${description} It is told this once.` });
export const MadeKey = Type.Object({ key: KeyBody, secret: Secret('The key itself.') });
export const MadeAdminToken = Type.Object({
  adminToken: AdminTokenBody,
  secret: Secret('The token itself.'),
});
export const Deleted = Type.Object({ deleted: Type.Integer() });

const paging = {
  limit: Type.Optional(Count('Most items of a page, 1 to 999; 100 without it.')),
  cursor: Type.Optional(Type.String({ description: 'The `next` of the page before.' })),
};

export const PageQuery = Type.Object(paging, strict);

const filter = {
  app: Type.Optional(Text({ description: 'Id or name of an app.' })),
  key: Type.Optional(Text({ description: 'Id of a key.' })),
  dialect: Type.Optional(Type.Enum(scopes, { description: 'The API that was asked.' })),
  outcome: Type.Optional(Text({ description: 'live, attack, why there is no verdict, or a failure code.' })),
};
export const KeysQuery = Type.Object({ ...paging, app: filter.app }, strict);

const transactionFilter = {
  ...filter,
  tag: Type.Optional(Text({ description: 'As `x-bonafide-tag` had it, whole.' })),
  imageSha256: Type.Optional(
    Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Of the bytes of the image, as they were sent.' }),
  ),
  from: Type.Optional(Time('Inclusive.')),
  to: Type.Optional(Time('Exclusive.')),
};

export const TransactionsQuery = Type.Object({ ...transactionFilter, ...paging }, strict);
export const ExportQuery = Type.Object(
  {
    ...transactionFilter,
    format: Type.Enum(['csv', 'ndjson'], { description: 'CSV with a head, or one JSON object a line.' }),
  },
  strict,
);
export const TagQuery = Type.Object(
  {
    tag: Text({ minLength: 1, description: 'As `x-bonafide-tag` had it, whole.', examples: ['session-42'] }),
    app: filter.app,
  },
  strict,
);

export const UsageQuery = Type.Object(
  {
    ...filter,
    from: Type.Optional(Type.String({ description: 'Day in UTC, inclusive; 30 days ago without it.' })),
    to: Type.Optional(Type.String({ description: 'Day in UTC, inclusive; today without it.' })),
    by: Type.Optional(
      Type.String({
        pattern: `^(${usageParts.join('|')})(,(${usageParts.join('|')}))*$`,
        description: `What counts are told apart by, of ${usageParts.join(',')}; all without it.`,
      }),
    ),
    ...paging,
  },
  strict,
);

export const AppParams = Type.Object({
  app: Text({ description: 'Its id or its name.', examples: [app.name] }),
});
export const KeyParams = Type.Object({
  key: Text({ description: 'Its id, which is not the key itself.', examples: [key.id] }),
});
export const AdminTokenParams = Type.Object({
  adminToken: Text({ description: 'Its id.', examples: [adminToken.id] }),
});
export const TransactionParams = Type.Object({
  transaction: Text({ description: 'Its id.', examples: [transaction.id] }),
});

/** Of a page, as a number. */
export function limitOf({ limit = '100' }: { limit?: string }): number {
  return Number(limit);
}

/** @throws RequestError for a date that does not exist. */
export function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new RequestError('invalid_request', 'There is no such date.');
  return time;
}

/** @param app id, where one was named. */
export function filterOf(
  { from, to, ...same }: Static<typeof ExportQuery> | Static<typeof TransactionsQuery>,
  app: string | undefined,
): TransactionFilter {
  const { key, dialect, outcome, tag, imageSha256 } = same;
  return {
    ...{ app, key, dialect, outcome, tag, imageSha256 },
    from: from === undefined ? undefined : timeOf(from),
    to: to === undefined ? undefined : timeOf(to),
  };
}

const iso = (time: number) => new Date(time).toISOString();
const isoOrNull = (time: number | null) => (time === null ? null : iso(time));

export function toApp(app: App): Static<typeof AppBody> {
  return {
    ...app,
    limits: { ...app.limits },
    createdAt: iso(app.createdAt),
    revokedAt: isoOrNull(app.revokedAt),
  };
}

export function toKey(key: Key): Static<typeof KeyBody> {
  return { ...key, ...toEnding(key), scopes: [...key.scopes], limits: { ...key.limits } };
}

export function toAdminToken(token: AdminToken): Static<typeof AdminTokenBody> {
  return { ...token, ...toEnding(token) };
}

/** What is on the disk of a model. */
export type ModelFiles = Pick<Static<typeof ModelsBody>['models'][number], 'weights' | 'tunedSha256'>;

export function toSession(
  { id, name, expiresAt }: AdminToken,
  session: Session | undefined,
): Static<typeof SessionBody> {
  return { administrator: { id, name }, expiresAt: isoOrNull(session?.expiresAt ?? expiresAt) };
}

/** @param files what is on the disk of each model, by its id. */
export function toModels(
  { profile, models, liveness, calibrationSha256 }: ResolvedProfile,
  note: string | undefined,
  files: ReadonlyMap<string, ModelFiles>,
): Static<typeof ModelsBody> {
  const { id, title, calibration, operatingPoints } = profile;
  return {
    profile: {
      ...{ id, title, calibration, operatingPoints },
      ...(note !== undefined && { note }),
      calibrationSha256: calibrationSha256 ?? null,
    },
    models: models.map(({ id, title, task, licence, origin, source, sha256 }) => ({
      ...{ id, title, task, licence, origin, sha256 },
      weight: liveness.find(({ model }) => model.id === id)?.weight ?? null,
      source: source === undefined ? null : toSource(source),
      ...(files.get(id) ?? { weights: 'missing', tunedSha256: null }),
    })),
  };
}

function toSource(source: NonNullable<ModelDescriptor['source']>): string {
  return 'url' in source ? source.url : `npm: ${source.npm}, ${source.path}`;
}

function toEnding({ createdAt, expiresAt, revokedAt, lastUsedAt }: Key | AdminToken) {
  return {
    createdAt: iso(createdAt),
    expiresAt: isoOrNull(expiresAt),
    revokedAt: isoOrNull(revokedAt),
    lastUsedAt: isoOrNull(lastUsedAt),
  };
}

/** What an export is, by its media type. */
export const exported = {
  description: 'As CSV with a head, or one JSON object a line.',
  content: {
    'text/csv': { schema: Type.String(), example: csv },
    'application/x-ndjson': { schema: Type.String(), example: ndjson },
  },
};

const refusals = {
  400: problem('The request is malformed.', 'invalid_request', 'The cursor is not one of this list.'),
  401: problem(
    'The token is missing or wrong, or the session has ended or is not of this page.',
    'unauthorized',
    'The admin token is missing or wrong, or the session has ended.',
  ),
  404: problem('There is no such thing.', 'not_found', 'There is no app "none".'),
  409: problem('It is there already, or has ended.', 'conflict', 'There is an app named "one" already.'),
  413: problem(
    'More bytes than are allowed.',
    'too_many_bytes',
    'The request has more bytes than are allowed.',
  ),
  415: problem(
    'Only JSON is taken here.',
    'unsupported_media_type',
    'The Content-Type is missing or not supported here.',
  ),
  429: problem(
    'Too many wrong keys; `Retry-After` says when to ask again.',
    'too_many_wrong_keys',
    'Too many wrong keys came from this address.',
  ),
  500: problem('A defect of ours; the log has it.', 'engine_failure', 'The server failed.'),
  503: problem('The database does not answer.', 'storage_unavailable', 'The database does not answer.'),
};

/** The schema with the one example of it. */
export function one<Schema extends TSchema>(schema: Schema, value: Static<Schema>): Schema {
  return withExamples(schema, { one: { summary: 'An example', value } });
}

/** What every operation of the admin API has in common. */
export function operation(
  operationId: string,
  summary: string,
  answer: object,
  more: readonly ('404' | '409')[] = [],
): object {
  const { 404: missing, 409: conflict, ...common } = refusals;
  return {
    operationId,
    summary,
    tags: ['Administration'],
    security: [{ adminToken: [] }, { adminSession: [] }],
    response: {
      200: { description: 'Done.', ...answer },
      ...common,
      ...(more.includes('404') && { 404: missing }),
      ...(more.includes('409') && { 409: conflict }),
    },
  };
}
