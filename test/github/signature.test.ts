import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { verifyDelivery, type WebhookSecret } from "../../lib/github/signature.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { currentSecret, previousSecret, sign } from "./deliveries.ts";

const secrets: readonly WebhookSecret[] = [
  { name: "current", value: new Secret(currentSecret) },
  { name: "previous", value: new Secret(previousSecret) },
];
const verify = (rawBody: Uint8Array, signature: string) => verifyDelivery({ secrets, rawBody, signature });

suite("the signature of a delivery", () => {
  test("GitHub's published example holds", async () => {
    const rawBody = Buffer.from("Hello, World!");
    const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const published: WebhookSecret = { name: "current", value: new Secret("It's a Secret to Everybody") };
    assert.equal(await verifyDelivery({ secrets: [published], rawBody, signature }), "current");
  });

  const texts: readonly (readonly [string, string])[] = [
    ["an emoji", '{"message":"\u{1f680}"}'],
    ["an escaped letter", '{"message":"\\u00e9"}'],
    ["the letter itself", '{"message":"é"}'],
    ["Windows line ends", '{\r\n  "a": 1\r\n}\r\n'],
    ["a byte order mark", '\u{feff}{"a":1}'],
    ["NUL", '{"a":"\u0000"}'],
    ["a replacement character", '{"a":"\u{fffd}"}'],
  ];
  for (const [what, text] of texts) {
    test(`a body with ${what} holds by its exact bytes, by the current and the previous secret`, async () => {
      assert.equal(await verify(Buffer.from(text), sign(text)), "current");
      assert.equal(await verify(Buffer.from(text), sign(text, previousSecret)), "previous");
      assert.equal(await verify(Buffer.from(text), sign(text, "a retired secret")), undefined);
    });
  }

  test("the same value written otherwise does not hold", async () => {
    const signature = sign('{"a":"é","b":1}');
    for (const other of [
      '{"b":1,"a":"é"}',
      '{"a":"\\u00e9","b":1}',
      '{"a": "é", "b": 1}',
      '{"a":"é","b":1}\n',
      '\u{feff}{"a":"é","b":1}',
    ]) {
      assert.equal(await verify(Buffer.from(other), signature), undefined, other);
    }
  });

  test("bytes that are not UTF-8 never hold, whatever they were signed as", async () => {
    for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0x7b, 0x22, 0x80, 0x22, 0x7d], [0xf0, 0x9f, 0x9a]]) {
      const rawBody = Uint8Array.from(bytes);
      assert.equal(await verify(rawBody, sign(rawBody)), undefined);
      assert.equal(await verify(rawBody, sign(Buffer.from(rawBody).toString("utf8"))), undefined);
    }
  });

  test("an empty body, an empty list of secrets and other forms of signature never hold", async () => {
    const rawBody = Buffer.from("{}");
    const right = sign(rawBody);
    assert.equal(await verify(Buffer.alloc(0), sign("")), undefined);
    assert.equal(await verifyDelivery({ secrets: [], rawBody, signature: right }), undefined);
    for (const signature of [
      "",
      "sha256=",
      right.toUpperCase(),
      right.slice(7),
      `${right} `,
      `${right}, ${right}`,
      right.replace("sha256", "sha1"),
    ]) {
      assert.equal(await verify(rawBody, signature), undefined, signature);
    }
  });

  test("one flipped bit in the body or one other character in the signature breaks it", async () => {
    const body = fc
      .uint8Array({ minLength: 1, maxLength: 200 })
      .map((bytes) => Buffer.from(JSON.stringify({ at: [...bytes], ü: "\u{1f680}" })));
    const flip = fc.record({
      body,
      at: fc.nat(),
      bit: fc.integer({ min: 0, max: 7 }),
      character: fc.string({ minLength: 1, maxLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(flip, async ({ body: rawBody, at, bit, character }) => {
        const signature = sign(rawBody);
        assert.equal(await verify(rawBody, signature), "current");
        const changed = Uint8Array.from(rawBody);
        changed[at % changed.length]! ^= 1 << bit;
        assert.equal(await verify(changed, signature), undefined);
        const place = at % signature.length;
        fc.pre(signature[place] !== character);
        assert.equal(await verify(rawBody, `${signature.slice(0, place)}${character}${signature.slice(place + 1)}`), undefined);
      }),
      { numRuns: 200 },
    );
  });
});
