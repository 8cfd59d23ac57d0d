/** The keys that the Try page asks with: for this visit alone, and from the link that the first start prints. */

/** Each is empty where there is none. */
export interface KeySet {
  /** In the path of the NHN dialect. */
  readonly appKey: string;
  /** In its Authorization header. */
  readonly secretKey: string;
  /** In the x-api-key header of ARGOS and the native API. */
  readonly apiKey: string;
}

export const keyNames = ['appKey', 'secretKey', 'apiKey'] as const satisfies (keyof KeySet)[];

/** An event of the window. */
export const keysChanged = 'bonafide-keys-changed';

const stored = 'bonafide-keys';
let current = read();

export function keys(): KeySet {
  return current;
}

/** Keeps keys until the tab is closed. */
export function keepKeys(next: KeySet): void {
  current = next;
  // A browser may keep nothing for a page; then they are there until it is loaded again.
  try {
    sessionStorage.setItem(stored, JSON.stringify(next));
  } catch {}
  dispatchEvent(new Event(keysChanged));
}

/** Takes the keys out of `#/?appKey=..&secretKey=..&apiKey=..`, so that they stand in no address, history or screenshot. */
export function takeOverLink(): void {
  take();
  addEventListener('hashchange', take);
}

function take(): void {
  const [path, query = ''] = location.hash.split('?', 2);
  const given = new URLSearchParams(query);
  const found = keyNames.filter((name) => given.has(name));
  if (found.length === 0) return;
  keepKeys({ ...current, ...Object.fromEntries(found.map((name) => [name, given.get(name)?.trim()])) });
  for (const name of found) given.delete(name);
  history.replaceState(null, '', given.size === 0 ? path : `${path}?${given}`);
}

function read(): KeySet {
  const none = { appKey: '', secretKey: '', apiKey: '' };
  try {
    return { ...none, ...JSON.parse(sessionStorage.getItem(stored) ?? '{}') };
  } catch {
    return none;
  }
}
