import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { sessionName } from "../../lib/cluster/session.ts";

test("a session is named after the application and the commit", () => {
  assert.equal(sessionName("web-abc1234"), "driftless-web-abc1234");
  assert.equal(sessionName(undefined), "driftless");
  assert.equal(sessionName(""), "driftless");
});

test("what AWS does not take in a session's name becomes a hyphen, and the commit is kept of a long one", () => {
  assert.equal(sessionName("team/web é-abc1234"), "driftless-team-web---abc1234");
  assert.equal(sessionName(`${"w".repeat(63)}-abc1234`), `driftless-${"w".repeat(46)}-abc1234`);
});

test("every session has a name that AWS takes", () => {
  fc.assert(fc.property(fc.string({ maxLength: 100 }), (text) => /^[\w+=,.@-]{2,64}$/.test(sessionName(text))));
});
