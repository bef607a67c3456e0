import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { isDriftlessError } from "../../lib/errors.ts";
import { parseGithubCredentials } from "../../lib/source/github-credentials.ts";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pkcs1 = String(pair.privateKey.export({ type: "pkcs1", format: "pem" }));
const pkcs8 = String(pair.privateKey.export({ type: "pkcs8", format: "pem" }));
const elliptic = String(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }));

function refusal(text: string): string {
  try {
    parseGithubCredentials(text, "driftless/github");
  } catch (error) {
    assert.ok(isDriftlessError(error, "config") && !error.retryable);
    assert.equal(error.cause, undefined);
    return `${error.message} ${inspect(error)}`;
  }
  return assert.fail("the secret was accepted");
}

describe("the secret for GitHub", () => {
  it("holds an App's id, as a number or a text, and its key in either PEM form, with line breaks or what became of them", () => {
    for (const privateKey of [pkcs1, pkcs8, pkcs1.replaceAll("\n", "\\n"), pkcs1.replaceAll("\n", "\r\n"), `\n${pkcs8}`]) {
      for (const appId of [12345, "12345", "Iv23liABCDEF"]) {
        const credentials = parseGithubCredentials(JSON.stringify({ appId, privateKey }), "driftless/github");
        assert.ok(credentials.kind === "app");
        assert.equal(credentials.appId, String(appId));
        assert.doesNotMatch(`${inspect(credentials)} ${JSON.stringify(credentials)}`, /PRIVATE KEY|MII/);
      }
    }
  });

  it("or one token", () => {
    const credentials = parseGithubCredentials('{"token": "github_pat_11AAA"}', "driftless/github");
    assert.ok(credentials.kind === "token");
    assert.equal(credentials.token.reveal(), "github_pat_11AAA");
    assert.doesNotMatch(inspect(credentials), /github_pat/);
  });

  it("anything else is refused with the form to use, and nothing of it is repeated", () => {
    for (const text of [
      "",
      "canary",
      '"canary"',
      "[]",
      "{}",
      '{"token": ""}',
      '{"token": "canary with spaces"}',
      '{"token": "canary\\n"}',
      '{"token": "canary", "appId": "1"}',
      '{"appId": "1"}',
      `{"privateKey": "canary"}`,
      JSON.stringify({ appId: "canary/../1", privateKey: pkcs1 }),
      JSON.stringify({ appId: 1, privateKey: pkcs1, canary: true }),
    ]) {
      const told = refusal(text);
      assert.match(told, /driftless\/github does not hold GitHub credentials: .*"appId".*"token"/, text);
      assert.doesNotMatch(told, /canary|PRIVATE KEY/, text);
    }
  });

  it("a key that is none, is cut off, or is not RSA is told as such", () => {
    for (const privateKey of ["canary", pkcs1.slice(0, 400), elliptic, pkcs1.split("\n")[0]]) {
      const told = refusal(JSON.stringify({ appId: "1", privateKey }));
      assert.match(told, /privateKey is no RSA key in PEM form: put in the whole file/);
      assert.doesNotMatch(told, /canary|PRIVATE KEY|MII/);
    }
  });
});
