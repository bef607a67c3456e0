import assert from "node:assert/strict";
import { test } from "node:test";
import { isDriftlessError } from "../../../lib/errors.ts";
import { basicAuthorization, chartCredentials } from "../../../lib/source/charts/credentials.ts";
import { Secret } from "../../../lib/telemetry/secret.ts";

const text = JSON.stringify({
  "Charts.Example": { username: "ada", password: "pass:wörd" },
  "registry.example:5000": { username: "", password: "token" },
});

test("credentials are found by host and port, and by nothing else", async () => {
  const find = chartCredentials(new Secret(text));
  const found = await find("charts.example");
  assert.equal(found && basicAuthorization(found).reveal(), `Basic ${Buffer.from("ada:pass:wörd").toString("base64")}`);
  assert.equal((await find("REGISTRY.example:5000"))?.password.reveal(), "token");
  for (const host of ["registry.example", "sub.charts.example", "charts.example:8443", "example", ""])
    assert.equal(await find(host), undefined);
});

for (const [what, wrong, words] of [
  ["no JSON", "canary", /they are not JSON;/],
  ["a list", '["canary"]', /they are not a JSON object/],
  [
    "a URL for a host",
    '{"https://charts.example":{"username":"a","password":"canary"}}',
    /a key is no host: write HOST or HOST:PORT/,
  ],
  [
    "no password",
    '{"charts.example":{"username":"canary"}}',
    /charts\.example needs "username", without a colon, and "password"/,
  ],
  ["text alone", '{"charts.example":"canary"}', /charts\.example needs/],
  ["a colon in the name", '{"charts.example":{"username":"can:ary","password":"canary"}}', /without a colon/],
] as const) {
  test(`credentials with ${what} are refused without a word of them`, () => {
    assert.throws(
      () => chartCredentials(new Secret(wrong)),
      (error: Error) => {
        assert.ok(isDriftlessError(error, "config"));
        assert.match(error.message, words);
        assert.doesNotMatch(`${error.message} ${error.stack} ${String(error.cause)}`, /canary|can:ary/);
        return true;
      },
    );
  });
}
