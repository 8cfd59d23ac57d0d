/** The benchmark's pure parts: what is told of many values, the order of turns, and the Markdown. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Report, toJson, toMarkdown, withQuartiles } from '../../bench/report.ts';
import { alternate } from '../../bench/rounds.ts';
import { type Form, forms, isRefusal, requestMaker } from '../../bench/server/requests.ts';
import { percentile, ratios, spread } from '../../bench/statistics.ts';

describe('statistics', () => {
  it('tell the median and the quartiles, in whatever order the values come', () => {
    assert.deepEqual(spread([9, 1, 3, 7, 5]), { median: 5, lower: 3, upper: 7, count: 5 });
    assert.equal(spread([4, 1, 2, 3]).median, 2.5);
  });

  it('leave the values in their order', () => {
    const values = [3, 1, 2];
    spread(values);
    assert.deepEqual(values, [3, 1, 2]);
  });

  it('tell the value that a share does not exceed', () => {
    const values = Array.from({ length: 1000 }, (_, i) => i + 1);
    assert.ok(Math.abs(percentile(values, 0.99) - 990) <= 1);
  });

  it('compare turn by turn, so that a slow round is slow for both', () => {
    assert.deepEqual(ratios([2, 20, 4], [1, 10, 2]), [2, 2, 2]);
    assert.throws(() => ratios([1], [1, 2]), /same turns/);
  });

  it('refuse to make something of nothing', () => {
    assert.throws(() => spread([]), /Nothing was measured/);
  });
});

describe('turns', () => {
  it('put another one first in each round, and count none of the warm-up', async () => {
    const order: string[] = [];
    const turn = (name: string) => async () => order.push(name);
    const taken = await alternate({ a: turn('a'), b: turn('b'), c: turn('c') }, { rounds: 3, warmUp: 1 });
    assert.deepEqual(order.join(''), 'abc' + 'bca' + 'cab' + 'abc');
    assert.deepEqual(taken, { a: [6, 8, 10], b: [4, 9, 11], c: [5, 7, 12] });
  });
});

describe('requests', () => {
  const keys = { appKey: 'app', secretKey: 'secret', apiKey: 'api' };
  const picture = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);

  for (const form of forms) {
    it(`have bytes of their own each: ${form}`, () => {
      const make = requestMaker(form, keys, picture);
      const [one, other] = [make(), make()];
      assert.equal(one.path, other.path);
      assert.equal(one.body.length, other.body.length);
      assert.ok(!one.body.equals(other.body));
    });
  }

  it('carry base64 that decodes to the picture and a number', () => {
    const make = requestMaker('ARGOS, JSON with base64', keys, picture);
    make();
    const { faceImage } = JSON.parse(make().body.toString()) as { faceImage: string };
    const bytes = Buffer.from(faceImage, 'base64');
    assert.equal(bytes.toString('base64'), faceImage);
    assert.ok(bytes.subarray(0, picture.length).equals(picture));
    assert.equal(bytes.readUIntBE(bytes.length - 6, 6), 1);
  });
});

describe('refusals', () => {
  const bodies: Record<Form, string> = {
    'native, the image as body': '{"status":503,"code":"service_full"}',
    'NHN, multipart': '{"header":{"isSuccessful":false,"resultCode":-50000}}',
    'ARGOS, JSON with base64': '{"transactionId":"0123456789abc","errorCode":1001}',
  };

  for (const form of forms) {
    it(`are those of their dialect, with the time to come again: ${form}`, () => {
      const body = bodies[form];
      assert.ok(isRefusal(form, 503, '1', body));
      assert.ok(!isRefusal(form, 503, undefined, body));
      assert.ok(!isRefusal(form, 500, '1', body));
      for (const other of forms.filter((one) => one !== form)) {
        assert.ok(!isRefusal(form, 503, '1', bodies[other]));
      }
    });
  }
});

describe('the report', () => {
  const report: Report = {
    machine: { CPU: 'A | B', cores: 2 },
    command: 'npm run bench',
    sections: [
      {
        title: 'One photograph',
        method: ['In turns.', 'Twice.'],
        tables: [{ title: 'Cost', columns: ['Size', 'ms'], rows: [['640x480', '3.0']] }],
        aims: [
          { aim: 'At most 2', measured: '3.0', met: false },
          { aim: 'At least 1', measured: '3.0', met: true },
        ],
        skipped: ['OpenCV, which is not here.'],
        data: {},
      },
    ],
  };

  it('says of each aim whether it was met, and of what was left out why', () => {
    const text = toMarkdown(report);
    assert.match(text, /^\| At most 2 \| 3\.0 \| \*\*no\*\* \|$/m);
    assert.match(text, /^\| At least 1 \| 3\.0 \| yes \|$/m);
    assert.match(text, /^\*\*Not measured:\*\* OpenCV, which is not here\.$/m);
    assert.match(text, /^## One photograph\n\nIn turns\. Twice\.$/m);
    assert.match(text, /^\| Size \| ms \|\n\| --- \| --- \|\n\| 640x480 \| 3\.0 \|$/m);
  });

  it('keeps what a value holds out of the table’s lines', () => {
    assert.match(toMarkdown(report), /^\| CPU \| A \\\| B \|$/m);
  });

  it('keeps every value for programs, rounded, with lists of numbers on one line', () => {
    const [section] = report.sections;
    const json = toJson({
      ...report,
      sections: [{ ...section, data: { ms: [1.23456, 2, -3e-9] } } as never],
    });
    assert.match(json, /^ +"ms": \[ 1\.235, 2, 0 \]$/m);
    assert.deepEqual(JSON.parse(json).sections[0].tables, section?.tables);
  });

  it('has no aims where no section has', () => {
    assert.doesNotMatch(toMarkdown({ ...report, sections: [] }), /## Aims/);
  });

  it('tells as many figures as the measurement is good for', () => {
    assert.equal(withQuartiles({ median: 123.4, lower: 12.34, upper: 1.234, count: 3 }), '123 (12.3–1.23)');
  });
});
