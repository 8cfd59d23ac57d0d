/** The tables, as the queries see them. Times are milliseconds since 1970, lists and objects are JSON. */

export interface Schema {
  apps: AppRow;
  keys: KeyRow;
  admin_tokens: AdminTokenRow;
  sessions: SessionRow;
  revisions: RevisionRow;
  transactions: TransactionRow;
  usage: UsageRow;
  quotas: QuotaRow;
  rates: RateRow;
}

/** One customer of the service: what keys belong to and limits are set for. */
export interface AppRow {
  id: string;
  /** Names the app in the path of the NHN dialect. */
  app_key: string;
  name: string;
  limits: string;
  created_at: number;
  revoked_at: number | null;
}

export interface KeyRow {
  id: string;
  app_id: string;
  kind: string;
  name: string;
  /** The first characters, by which people tell keys apart. */
  prefix: string;
  /** SHA-256 in hexadecimal. */
  hash: string;
  scopes: string;
  limits: string;
  created_by: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  /** The key that took this one's place. */
  replaced_by: string | null;
  last_used_at: number | null;
}

export interface AdminTokenRow {
  id: string;
  name: string;
  prefix: string;
  hash: string;
  created_by: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
}

/** A browser in which the person with an admin token signed in. */
export interface SessionRow {
  /** SHA-256 in hexadecimal of what is in the browser's cookie. */
  hash: string;
  /** Id of the admin token. */
  admin_token: string;
  created_at: number;
  expires_at: number;
}

/** One number that grows with every change of apps, keys and admin tokens, so that a node need only ask for it. */
export interface RevisionRow {
  name: string;
  value: number;
}

/** One answered request. It outlives its app and its key, so it refers to neither. */
export interface TransactionRow {
  id: string;
  time: number;
  app: string;
  key: string;
  dialect: string;
  mode: string | null;
  outcome: string;
  status: number;
  faces: number | null;
  p_live: string | null;
  verdicts: string | null;
  profile: string | null;
  models: string | null;
  calibration_sha256: string | null;
  image_sha256: string | null;
  image_bytes: number | null;
  image_format: string | null;
  width: number | null;
  height: number | null;
  timings: string | null;
  total_ms: number;
  client: string | null;
  tag: string | null;
  seen_before: string | null;
}

/** How often what happened, kept when the transactions themselves are deleted. */
export interface UsageRow {
  /** UTC: `2026-11-22`. */
  day: string;
  app: string;
  key: string;
  dialect: string;
  outcome: string;
  count: number;
}

/** What a key or an app has used of a day or a month. */
export interface QuotaRow {
  subject: string;
  period: string;
  used: number;
}

/** The columns that rate-limiter-flexible reads and writes. */
export interface RateRow {
  key: string;
  points: number;
  expire: number | null;
}
