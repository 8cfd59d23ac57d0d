/** Base64 intake: only the one canonical text of some bytes is accepted, and no more bytes than the limit. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { decodeBase64 } from '../../src/intake/image-source.ts';

const bytesOf = (text: string, maxBytes = 1000) => [...decodeBase64(text, maxBytes)];

describe('decodeBase64', () => {
  it('decodes every padding', () => {
    assert.deepEqual(bytesOf('/w=='), [255]);
    assert.deepEqual(bytesOf('//8='), [255, 255]);
    assert.deepEqual(bytesOf('////'), [255, 255, 255]);
    assert.deepEqual(bytesOf('+/+/AA=='), [251, 255, 191, 0]);
  });

  it('decodes megabytes', () => {
    const bytes = Buffer.alloc(3_000_001, 'face');
    assert.ok(bytes.equals(decodeBase64(bytes.toString('base64'), bytes.length)));
  });

  const refused = {
    'an empty text': '',
    'padding alone': '====',
    'a missing padding': '/w',
    'half a padding': '/w=',
    'too much padding': '/w====',
    'padding in the middle': '/w==/w==',
    'a lone character': 'A',
    'bits left over after the last byte': '/x==',
    'the URL-safe alphabet': '__-_',
    'a space': '//// ////',
    'a space within the length of a group': '/// ',
    'a line break': '////\n',
    'a MIME prefix': 'data:image/jpeg;base64,////',
    'an invalid character': '//*/',
    'a character whose low byte is in the alphabet': '\u0141AAA',
    'a NUL': '///\0',
  };
  for (const [name, text] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      assert.throws(() => decodeBase64(text, 1000), { name: 'IntakeError', code: 'invalid_base64' });
    });
  }

  it('refuses of damaged texts exactly those that their bytes do not encode to again', () => {
    const random = xoroshiro128plus(7);
    const upTo = (limit: number) => uniformInt(random, 0, limit - 1);
    const damage = [...'AQw/+-_=* \n\0\u0141\u00c1'];
    let taken = 0;
    for (let i = 0; i < 20_000; i++) {
      const bytes = Uint8Array.from({ length: 1 + upTo(9) }, () => upTo(256));
      const characters = [...Buffer.from(bytes).toString('base64')];
      for (let n = upTo(3); n > 0; n--) {
        characters.splice(upTo(characters.length), upTo(2), damage[upTo(damage.length)] as string);
      }
      const text = characters.join('');
      const expected = Buffer.from(text, 'base64');
      if (expected.length > 0 && expected.toString('base64') === text) {
        taken++;
        assert.ok(expected.equals(decodeBase64(text, 1000)), JSON.stringify(text));
      } else {
        const why = { code: 'invalid_base64' };
        assert.throws(() => decodeBase64(text, 1000), why, JSON.stringify(text));
      }
    }
    assert.ok(taken > 5_000 && taken < 15_000, `${taken} were not damaged`);
  });

  it('takes as many bytes as the limit and not one more', () => {
    for (const size of [1, 2, 3, 4]) {
      const text = Buffer.alloc(size).toString('base64');
      assert.equal(decodeBase64(text, size).length, size);
      assert.throws(() => decodeBase64(text, size - 1), { name: 'IntakeError', code: 'too_many_bytes' });
    }
  });

  it('decides on the size before it decodes', () => {
    assert.throws(() => decodeBase64('*'.repeat(2000), 1000), { code: 'too_many_bytes' });
  });
});
