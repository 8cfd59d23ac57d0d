/** Texts that programs stumble over. */

import fc from 'fast-check';

/** Names and values that mean something to some language, shell, database or file system. */
const traps = [
  '',
  ' ',
  '\0',
  '\ufeff',
  '\ud800',
  '\u202e',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '-0',
  '1e999',
  '9007199254740993',
  '2026-02-30T25:61:61Z',
  '0000-00-00T00:00:00.000Z',
  "' OR 1=1 --",
  '";DROP TABLE keys;--',
  '%',
  '_',
  '%s%n',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as it is.
  '${jndi:ldap://127.0.0.1/}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '=cmd|calc',
  'a\r\nx-injected: 1',
  'ＡＢＣ',
  '𝔘𝔫𝔦𝔠𝔬𝔡𝔢',
  'x'.repeat(300),
  'x'.repeat(20_000),
];

/** Any text, a trap among them now and then. */
export const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...traps) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ maxLength: 40 }) },
);

/** What fits into a head: no line ends, no NUL, no character beyond a byte. */
export const headerText = fc.oneof(
  { weight: 4, arbitrary: text.map((value) => value.replace(/[^\x20-\x7e\x80-\xff]/gu, '?')) },
  // And what does not.
  { weight: 1, arbitrary: text },
);
