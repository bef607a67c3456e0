import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { redact } from "../../lib/telemetry/redact.ts";

const body = "abcdefghijABCDEFGHIJ0123456789";
const credentials: readonly (readonly [what: string, text: string, clean: string])[] = [
  [
    "a password in a URL",
    "fetch https://ada:hunter2@github.com/acme/shop failed",
    "fetch https://[secret]@github.com/acme/shop failed",
  ],
  ["a token as user of a URL", "https://x-access-token@github.com/a", "https://[secret]@github.com/a"],
  ["a password in an ssh URL", "ssh://git:pw@host:22/a", "ssh://[secret]@host:22/a"],
  ...["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].map(
    (prefix) => [`a GitHub token ${prefix}`, `token ${prefix}${body}, here`, "token [secret], here"] as const,
  ),
  ["a token of an installation", `token ghs_12345_eyJhbGciOi.${body}.x-y_z, here`, "token [secret], here"],
  ["a fine-grained GitHub token", `github_pat_11AAAA_${body}`, "[secret]"],
  ["a token for EKS", "k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9u_-x end", "[secret] end"],
  ["a bearer header", `Authorization: Bearer ${body}.x-y_z`, "Authorization: Bearer [secret]"],
  ["a basic header", "authorization: basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "authorization: basic [secret]"],
  [
    "a presigned URL",
    "https://sts.example/?X-Amz-Credential=AKIA/eu&X-Amz-Date=1&X-Amz-Signature=00ff&X-Amz-Security-Token=IQ%2F",
    "https://sts.example/?X-Amz-Credential=[secret]&X-Amz-Date=1&X-Amz-Signature=[secret]&X-Amz-Security-Token=[secret]",
  ],
  ["a password in a URL that was cut off", "fetch https://ada:hunt...", "fetch https://ada:[secret]..."],
  ["a token that was cut off", "token ghp_abc...", "token [secret]..."],
];
for (const [what, text, clean] of credentials) {
  test(`${what} is not printed`, () => {
    assert.equal(redact(text), clean);
    assert.equal(redact(`{"a":"${text}"}`), `{"a":"${clean}"}`);
    assert.equal(redact(`${text}\n${text}`), `${clean}\n${clean}`);
  });
}

const ordinary = [
  "",
  "fetch https://github.com/acme/shop.git failed: ENOTFOUND",
  "ada@example.com pushed to git@github.com:acme/shop",
  "image registry.example/shop@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  "see https://example.com/a?mail=ada@example.com",
  "see http://127.0.0.1:8080/a...",
  "commit 6dcb09b5b57875f334f61aebed695e2e4193db5e",
  "the bearer of this",
  "ghp_short and github_pat_ alone",
  "X-Amz-Date=20260101T000000Z",
  "Deployment shop/web: spec.replicas: 1 -> 3",
];
for (const text of ordinary)
  test(`ordinary text stays as it is: ${JSON.stringify(text)}`, () => assert.equal(redact(text), text));

test("no credential survives, whatever stands around it; what is clean stays clean", () => {
  const around = fc.stringMatching(/^[ ,;:{}()[\]\n]{0,5}$/);
  const credential = fc.stringMatching(/^(ghp_|ghs_|github_pat_)[A-Za-z0-9]{20,40}$/);
  fc.assert(
    fc.property(around, credential, around, (before, token, after) => {
      const clean = redact(before + token + after);
      assert.equal(clean, `${before}[secret]${after}`);
      assert.equal(redact(clean), clean);
    }),
  );
});

test("a text of a million letters, or of as many beginnings of URLs, is read once", () => {
  for (const text of ["a".repeat(1_000_000), "a://".repeat(250_000), "://a".repeat(250_000), "x@".repeat(500_000)]) {
    assert.equal(redact(text), text);
  }
});
