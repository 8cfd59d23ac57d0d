/** NHN Cloud Face Liveness, requests that succeed: the documented requests get exactly the documented answer. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import {
  type Ask,
  type Asking,
  assertShape,
  connect,
  form,
  json,
  keyed,
  literal,
  type Reply,
  routes,
  type Shape,
  shapeOf,
} from '../../helpers/http.ts';
import { landscape, placeFaces, readPhotos, storedSideways, tileFaces } from '../../helpers/pictures.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

const { nhn, native } = routes;

const documented = JSON.parse(await readFile(new URL('fixtures/answer.json', import.meta.url), 'utf8'));

/** The tables of the API guide: the types of the fields, where an example body cannot tell them. */
const success: Shape = {
  header: {
    isSuccessful: literal(true),
    resultCode: literal(0),
    resultMessage: literal('Success'),
  },
  data: {
    faceDetailCount: 'integer',
    faceDetails: [
      {
        bbox: { x0: 'number', y0: 'number', x1: 'number', y1: 'number' },
        landmarks: [{ type: /^(leftEye|rightEye|nose|leftLip|rightLip)$/, x: 'number', y: 'number' }],
        spoofing: 'boolean',
        confidence: 'number',
      },
    ],
  },
};

interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}
interface FaceDetail {
  bbox: Box;
  landmarks: { type: string; x: number; y: number }[];
  spoofing: boolean;
  confidence: number;
}

const photos = await readPhotos();
const images = createServer((_, response) =>
  response.setHeader('content-type', 'image/jpeg').end(photos.body),
);
let server: TestServer;
let ask: Ask;

before(async () => {
  await once(images.listen(0, '127.0.0.1'), 'listening');
  server = await startServer({ urlAllowedHosts: [imageHost()] });
  ask = await connect(server);
});
after(async () => {
  images.close();
  await server.close();
});

function imageHost(): string {
  return `127.0.0.1:${(images.address() as AddressInfo).port}`;
}

/** Asks with the key and expects success. */
async function succeed(asking: Asking, through = ask): Promise<Reply> {
  const reply = await through(nhn.path, { ...asking, headers: keyed(nhn, asking.headers) });
  assert.equal(reply.status, 200);
  assertShape(reply.body, success);
  const { faceDetailCount, faceDetails } = reply.body.data;
  assert.equal(faceDetails.length, faceDetailCount);
  return reply;
}

async function facesOf(image: Buffer, more: object = {}): Promise<FaceDetail[]> {
  const reply = await succeed(json({ image: { bytes: image.toString('base64') }, ...more }));
  return reply.body.data.faceDetails;
}

const area = ({ x0, y0, x1, y1 }: Box) => (x1 - x0) * (y1 - y0);

describe("NHN: the guide's example requests", () => {
  const examples: [name: string, asking: () => Asking][] = [
    [
      'JSON with a URL',
      () => ({
        headers: { 'content-type': 'application/json;charset=UTF-8' },
        body: `{
    "image": {
        "url":"http://${imageHost()}/photo.jpg?size=1"
    }
}`,
      }),
    ],
    ['JSON with bytes', () => json({ image: { bytes: photos.body.toString('base64') } })],
    ['multipart', () => form(['imageFile', new Uint8Array(photos.body)])],
  ];

  for (const [name, asking] of examples) {
    it(`${name}: has every documented member and no other, of the same type, in the same order`, async () => {
      const { body } = await succeed(asking());
      assertShape(body, shapeOf(documented));
      assert.equal(body.data.faceDetailCount, 1);
      assert.deepEqual(
        body.data.faceDetails[0].landmarks.map(({ type }: { type: string }) => type),
        documented.data.faceDetails[0].landmarks.map(({ type }: { type: string }) => type),
      );
    });
  }

  it('says the same however the photograph arrives', async () => {
    const [first, ...others] = await Promise.all(examples.map(([, asking]) => succeed(asking())));
    for (const other of others) assert.deepEqual(other.body, first?.body);
  });

  it('takes spoofingCondition in all three', async () => {
    const strict = await facesOf(photos.body, { spoofingCondition: 'strict' });
    const inForm = await succeed(
      form(['spoofingCondition', 'strict'], ['imageFile', new Uint8Array(photos.body)]),
    );
    const url = await succeed(
      json({ image: { url: `http://${imageHost()}/photo.jpg` }, spoofingCondition: 'strict' }),
    );
    assert.deepEqual(inForm.body.data.faceDetails, strict);
    assert.deepEqual(url.body.data.faceDetails, strict);
  });
});

describe('NHN: coordinates', () => {
  it('lie in the face, left and right as seen in the picture', async () => {
    const [face] = (await facesOf(photos.body)) as [FaceDetail];
    const at = Object.fromEntries(face.landmarks.map(({ type, ...point }) => [type, point])) as {
      [type in 'leftEye' | 'rightEye' | 'nose' | 'leftLip' | 'rightLip']: { x: number; y: number };
    };
    for (const { x, y } of face.landmarks) {
      assert.ok(face.bbox.x0 < x && x < face.bbox.x1 && face.bbox.y0 < y && y < face.bbox.y1);
    }
    assert.ok(at.leftEye.x < at.rightEye.x && at.leftLip.x < at.rightLip.x);
    assert.ok(at.leftEye.y < at.nose.y && at.nose.y < at.leftLip.y);
    assert.ok(at.rightEye.y < at.nose.y && at.nose.y < at.rightLip.y);
  });

  it('assumed: are fractions of the image, with the box clamped to 0..1', async () => {
    // The close-up fills its picture: what the detector sees begins above the upper border.
    const [face] = (await facesOf(photos.face)) as [FaceDetail];
    assert.equal(face.bbox.y0, 0);
    for (const value of Object.values(face.bbox)) assert.ok(value >= 0 && value <= 1);
    assert.ok(area(face.bbox) > 0.4);
  });

  it('assumed: refer to the upright image, EXIF orientation applied', async () => {
    const picture = await placeFaces(photos.face, { width: 900, height: 500 }, [{ x: 40, y: 50, side: 400 }]);
    const [upright] = (await facesOf(picture)) as [FaceDetail];
    const [turned] = (await facesOf(await storedSideways(picture))) as [FaceDetail];
    for (const corner of ['x0', 'y0', 'x1', 'y1'] as const) {
      assert.ok(Math.abs(turned.bbox[corner] - upright.bbox[corner]) < 0.02, `${corner} moved`);
    }
  });
});

describe('NHN: confidence', () => {
  it('assumed: is a fraction, as in the example body', async () => {
    const [face] = (await facesOf(photos.body)) as [FaceDetail];
    assert.ok(face.confidence > 0.5 && face.confidence <= 1);
  });

  it('assumed: is a percentage where the operator says so, as in the field table', async () => {
    const percent = await startServer({ nhnConfidence: 'percent' });
    try {
      const asking = json({ image: { bytes: photos.body.toString('base64') } });
      const { body } = await succeed(asking, await connect(percent));
      const [fraction] = (await facesOf(photos.body)) as [FaceDetail];
      assert.equal(body.data.faceDetails[0].confidence, fraction.confidence * 100);
    } finally {
      await percent.close();
    }
  });

  it('is about the face and not about spoofing: it is the same at every condition', async () => {
    const said = await Promise.all(
      ['weak', 'balanced', 'strict'].map((spoofingCondition) => facesOf(photos.face, { spoofingCondition })),
    );
    assert.equal(new Set(said.map(([face]) => face?.confidence)).size, 1);
  });
});

describe('NHN: spoofing', () => {
  it("follows the model's verdict, weak to strict, and never turns from spoof to live", async () => {
    const pictures = [
      photos.face,
      photos.body,
      await placeFaces(photos.face, { width: 900, height: 500 }, [{ x: 40, y: 50, side: 400 }]),
      await tileFaces(photos.face, 3, 2, 200),
    ];
    for (const picture of pictures) {
      const { body } = await ask(native.path, {
        headers: keyed(native, { 'content-type': 'image/jpeg' }),
        body: new Uint8Array(picture),
      });
      for (const condition of ['weak', 'balanced', 'strict']) {
        const faces = await facesOf(picture, { spoofingCondition: condition });
        assert.deepEqual(
          faces.map(({ spoofing }) => (spoofing ? 'attack' : 'live')),
          body.faces.map(({ verdicts }: { verdicts: Record<string, string> }) => verdicts[condition]),
        );
      }
      const [weak, balanced, strict] = await Promise.all(
        ['weak', 'balanced', 'strict'].map((spoofingCondition) => facesOf(picture, { spoofingCondition })),
      );
      for (const [i, face] of (weak as FaceDetail[]).entries()) {
        assert.ok(!face.spoofing || balanced?.[i]?.spoofing, 'weak says spoof, balanced does not');
        assert.ok(!balanced?.[i]?.spoofing || strict?.[i]?.spoofing, 'balanced says spoof, strict does not');
      }
    }
  });

  it('is balanced unless another condition is asked for', async () => {
    assert.deepEqual(
      await facesOf(photos.face),
      await facesOf(photos.face, { spoofingCondition: 'balanced' }),
    );
  });
});

describe('NHN: number of faces', () => {
  it('zero: is a success with a count of 0 and an empty list', async () => {
    const { text } = await succeed(
      json({ image: { bytes: (await landscape(640, 480)).toString('base64') } }),
    );
    assert.equal(
      text,
      '{"header":{"isSuccessful":true,"resultCode":0,"resultMessage":"Success"},"data":{"faceDetailCount":0,"faceDetails":[]}}',
    );
  });

  it('several: come largest first', async () => {
    const picture = await placeFaces(photos.face, { width: 1000, height: 750 }, [
      { x: 20, y: 300, side: 150 },
      { x: 600, y: 150, side: 350 },
      { x: 250, y: 200, side: 250 },
    ]);
    const faces = await facesOf(picture);
    assert.equal(faces.length, 3);
    // By their middles: the largest stands at the right, the smallest at the left.
    const middles = faces.map(({ bbox }) => ((bbox.x0 + bbox.x1) / 2) * 1000);
    const expected = [775, 375, 95];
    for (const [i, middle] of middles.entries()) {
      assert.ok(Math.abs(middle - (expected[i] as number)) < 40, `face ${i} at ${middle}`);
    }
  });

  it('more than 20: the 20 largest are answered', async () => {
    const faces = await facesOf(await tileFaces(photos.face, 7, 4, 160));
    assert.equal(faces.length, 20);
    const areas = faces.map(({ bbox }) => area(bbox));
    assert.deepEqual(
      areas,
      areas.toSorted((a, b) => b - a),
    );
  });

  it('leaves out faces under 60 px', async () => {
    const picture = await placeFaces(photos.face, { width: 640, height: 480 }, [
      { x: 60, y: 60, side: 300 },
      { x: 450, y: 300, side: 56 },
    ]);
    assert.equal((await facesOf(picture)).length, 1);
    const alone = await placeFaces(photos.face, { width: 480, height: 360 }, [{ x: 200, y: 150, side: 56 }]);
    assert.equal((await facesOf(alone)).length, 0);
  });
});
