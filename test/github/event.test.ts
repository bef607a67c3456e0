import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DriftlessError } from "../../lib/errors.ts";
import { parseEvent, parsePush } from "../../lib/github/event.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import { aPush, head, nobody } from "./deliveries.ts";

function refusal(payload: unknown): string {
  try {
    parsePush(payload);
  } catch (error) {
    assert.ok(error instanceof DriftlessError, String(error));
    assert.equal(error.code, "webhook");
    assert.equal(error.retryable, false);
    return error.message;
  }
  return assert.fail("the payload was accepted");
}

suite("the payload of an event", () => {
  test("a push to a branch gives the repository, the branch and both commits", () => {
    assert.deepEqual(parsePush(aPush()), {
      repository: {
        cloneUrl: "https://github.com/acme/guestbook.git",
        htmlUrl: "https://github.com/acme/guestbook",
        fullName: "acme/guestbook",
        id: 186853002,
      },
      branch: "main",
      ref: "refs/heads/main",
      before: "1111111111111111111111111111111111111111",
      after: head,
      deleted: false,
      forced: false,
    });
  });

  test("a branch may have slashes, dots, letters of any script, and SHA-256 commits", () => {
    const after = "a".repeat(64);
    for (const branch of ["release/1.2", "ümläut", "日本", "a@b", "-dash", "x.y", "HEAD", "refs/heads/main"]) {
      assert.equal(parsePush(aPush({ ref: `refs/heads/${branch}`, after })).branch, branch);
    }
  });

  test("a tag is no branch; a deleted branch and a forced push are told", () => {
    assert.equal(parsePush(aPush({ ref: "refs/tags/v1.0" })).branch, undefined);
    assert.deepEqual(
      [parsePush(aPush({ deleted: true, after: nobody })).deleted, parsePush(aPush({ forced: true })).forced],
      [true, true],
    );
  });

  const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`) as unknown;
  const refused: readonly (readonly [string, unknown, string])[] = [
    ["null", null, "payload must be an object"],
    ["a list", [], "payload must be an object"],
    ["text", "push", "payload must be an object"],
    ["a number as ref, and nothing else", { ref: 1 }, "repository must be an object"],
    ["a number as ref", aPush({ ref: 1 }), "ref must be a string"],
    ["__proto__ with everything in it", JSON.parse(`{"__proto__":${JSON.stringify(aPush())}}`), "repository must be an object"],
    ["no repository", aPush({ repository: undefined }), "repository must be an object"],
    ...[0, -1, 1.5, "186853002", null, 2 ** 53].map(
      (id) =>
        [
          `${JSON.stringify(id)} as the repository's id`,
          aPush({ repository: { ...(aPush()["repository"] as JsonObject), id } }),
          "repository.id must be a positive integer",
        ] as const,
    ),
    ["a list as repository", aPush({ repository: [] }), "repository must be an object"],
    [
      "a repository without clone URL",
      aPush({ repository: { full_name: "a/b", html_url: "x" } }),
      "repository.clone_url must be a string",
    ],
    ["100,000 levels", deep, "repository must be an object"],
    ["a ref that is neither branch nor tag", aPush({ ref: "refs/pull/1/head" }), "ref must match ^refs\\/(?:heads|tags)\\/."],
    ["a ref without a name", aPush({ ref: "refs/heads/" }), "ref must match ^refs\\/(?:heads|tags)\\/."],
    ["a ref of 1,025 characters", aPush({ ref: `refs/heads/${"a".repeat(1014)}` }), "ref must be at most 1024 characters"],
    ["a short commit id", aPush({ after: "9f5d1e0" }), "after must match ^(?:[0-9a-f]{40}|[0-9a-f]{64})$"],
    ["a flag that is text", aPush({ deleted: "false" }), "deleted must be true or false"],
  ];
  for (const [what, payload, expected] of refused) {
    test(`${what} is refused by the field's name`, () => assert.equal(refusal(payload), expected));
  }

  test("a branch that Git does not allow, or that a queue does not take, is refused", () => {
    for (const branch of [
      "a b",
      "a..b",
      "a~1",
      "a^",
      "a:b",
      "a?",
      "a*",
      "a[",
      "a\\b",
      "a//b",
      "a/",
      "/a",
      "a.",
      ".a",
      "a/.b",
      "a.lock",
      "a@{1}",
      "a\nb",
      "a\u0000",
      "\ud800",
      "a\u{fffe}",
    ]) {
      assert.equal(
        refusal(aPush({ ref: `refs/heads/${branch}` })),
        "ref must be refs/heads/ and a branch name that Git allows",
        JSON.stringify(branch),
      );
    }
  });

  test("text of a payload is never taken for a pattern: hostile names cost nothing", () => {
    const { repository } = parsePush(
      aPush({ repository: { full_name: ".*", html_url: `https://x/${"a".repeat(2000)}(a+)+$`, clone_url: "https://x/(a+)+$" } }),
    );
    assert.equal(repository.fullName, ".*");
  });

  test("a ping and an event that is not used give their repository where they have one", () => {
    const repository = { clone_url: "https://github.com/acme/guestbook.git" };
    assert.deepEqual(parseEvent({ event: "ping", payload: { zen: "Keep it simple.", repository } }), {
      kind: "ping",
      repository: "https://github.com/acme/guestbook.git",
    });
    assert.deepEqual(parseEvent({ event: "ping", payload: { zen: "Keep it simple." } }), { kind: "ping", repository: "" });
    assert.deepEqual(parseEvent({ event: "issues", payload: { repository } }), {
      kind: "other",
      event: "issues",
      repository: "https://github.com/acme/guestbook.git",
    });
    assert.throws(() => parseEvent({ event: "issues", payload: [] }), { message: "payload must be an object" });
  });
});
