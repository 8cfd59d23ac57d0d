/** That the search through servers' logs finds what it looks for. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { secretsIn } from '../helpers/kept-logs.ts';
import { credential } from '../helpers/keys.ts';
import { readPhotos } from '../helpers/pictures.ts';

const { face } = await readPhotos();
const found = async (text: string) => (await secretsIn(text)).map((line) => line.replace(/:.*/, ''));

describe('the search for secrets', () => {
  it('finds keys, pictures and queries of URLs, wherever in a line', async () => {
    const secrets = {
      'a key or token': `bfa_${'0123456789abcdef'.repeat(3)}`,
      'a key of the tests': credential.apiKey,
      'a picture': face.toString('base64').slice(2_990, 3_100),
      'the query of a URL': 'http://a.example/b?signature=c',
    };
    for (const [name, secret] of Object.entries(secrets)) {
      assert.deepEqual(await found(`{"msg":"one"}\n{"msg":"x ${secret} y"}\n`), [name]);
    }
    assert.deepEqual(await found(`{"image":"${face.toString('base64').slice(0, 12)}"}`), ['a picture']);
  });

  it('finds none in what is logged of a request', async () => {
    const line = {
      route: '/v1/assess',
      key: `key_${credential.apiKey}`,
      prefix: 'bfa_012345',
      url: 'http://a/',
    };
    assert.deepEqual(await found(JSON.stringify(line)), []);
  });
});
