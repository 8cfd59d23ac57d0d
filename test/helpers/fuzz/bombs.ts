/** Documents of JSON that cost a parser far more than their bytes, each of about a size. */

/** Copies of `unit` between a beginning and an end. */
function filled(start: string, unit: string, end: string, size: number): Buffer<ArrayBuffer> {
  const count = Math.floor((size - start.length - end.length) / unit.length);
  return Buffer.concat([Buffer.from(start), Buffer.alloc(count * unit.length, unit), Buffer.from(end)]);
}

/** As many of both as there is room for. */
function nested(open: string, inner: string, close: string, size: number): Buffer<ArrayBuffer> {
  const count = Math.floor((size - 20) / (open.length + close.length));
  return Buffer.concat([
    Buffer.from('{"image":'),
    Buffer.alloc(count * open.length, open),
    Buffer.from(inner),
    Buffer.alloc(count * close.length, close),
    Buffer.from('}'),
  ]);
}

/** An object of that many names, as long as there is room for, that differ at their ends. */
function names(count: number, size: number): Buffer<ArrayBuffer> {
  const length = Math.floor((size - 10) / count) - 12;
  const name = (i: number) => String(i).padStart(length, 'n');
  return Buffer.from(`{${Array.from({ length: count }, (_, i) => `"${name(i)}":0`).join(',')}}`);
}

/** By what is in them; each is no request to any dialect. */
export const bombs: Readonly<Record<string, (size: number) => Buffer<ArrayBuffer>>> = {
  'empty objects': (size) => filled('{"image":[', '{},', '{}]}', size),
  numbers: (size) => filled('{"image":[', '1.5,', '0]}', size),
  'lists in lists': (size) => nested('[', '', ']', size),
  'objects in objects': (size) => nested('{"a":', '1', '}', size),
  'many names': (size) => names(Math.floor(size / 24), size),
  // Texts of more than 16,383 characters hash by their length alone.
  '1,000 long names': (size) => names(1_000, size),
  '90 long names': (size) => names(90, size),
  'one name': (size) => filled('{"', 'n', '":0}', size),
  'a number of many digits': (size) => filled('{"image":', '9', '}', size),
  'an exponent of many digits': (size) => filled('{"image":1e', '9', '}', size),
  'escapes in a name': (size) => filled('{"', '\\u0000', '":0}', size),
  // Each byte is a character of two in memory.
  'what is no UTF-8': (size) => filled('{"image":{"bytes":"', 'x', '"}}', size).fill(0xff, 30, size - 60),
  'white space': (size) => filled('{"image":', ' ', '0}', size),
};
