import assert from "node:assert/strict";
import { test } from "node:test";
import { isTlsFailure, isTransientFailure, retryDelay } from "../../lib/cluster/retry.ts";

const failure = (code: string) => Object.assign(new Error("it broke"), { code });

test("pauses double from a quarter of a second, half of each by chance", () => {
  const pauses = [1, 2, 3].map((attempt) => [0, 1].map((random) => retryDelay({ attempt, status: 503, random })));
  assert.deepEqual(pauses, [
    [125, 250],
    [250, 500],
    [500, 1000],
  ]);
});

test("the fourth try is the last", () => {
  assert.equal(retryDelay({ attempt: 4, status: 503, random: 0 }), undefined);
  assert.equal(retryDelay({ attempt: 4, random: 0 }), undefined);
});

test("Retry-After is honoured up to 30 seconds, with jitter on top", () => {
  assert.equal(retryDelay({ attempt: 1, status: 429, retryAfter: "2", random: 0 }), 2125);
  assert.equal(retryDelay({ attempt: 1, status: 429, retryAfter: "3600", random: 0 }), 30_125);
  assert.equal(retryDelay({ attempt: 1, status: 429, retryAfter: "soon", random: 0 }), 125);
});

test("only 429 and 502 to 504 are sent again", () => {
  const again = [200, 400, 401, 403, 404, 409, 410, 422, 429, 500, 501, 502, 503, 504, 505].filter(
    (status) => retryDelay({ attempt: 1, status, random: 0 }) !== undefined,
  );
  assert.deepEqual(again, [429, 502, 503, 504]);
});

test("a broken connection is worth another try, a wrong name or certificate is not", () => {
  const codes = [
    "ECONNRESET",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "EPIPE",
    "EAI_AGAIN",
    "ENOTFOUND",
    "CERT_HAS_EXPIRED",
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ];
  assert.deepEqual(
    codes.filter((code) => isTransientFailure(failure(code))),
    ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE", "EAI_AGAIN"],
  );
  assert.deepEqual(
    codes.filter((code) => isTlsFailure(failure(code))),
    ["CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID"],
  );
  assert.equal(isTransientFailure(new Error("no code")), false);
});
