import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { DriftlessError, isDriftlessError } from "../../lib/errors.ts";
import { createGatherer } from "../../lib/source/gather.ts";
import { createSources } from "../../lib/source/sources.ts";
import type { GithubRepository } from "../support/github.ts";
import type { Refusal } from "../support/github-api.ts";
import { type GithubBed, openGithubBed } from "./github.ts";
import { commit } from "./repositories.ts";

/** 12:00:00 of the bed's clock, in seconds since 1970. */
const now = Date.parse("2026-01-01T12:00:00.000Z") / 1000;
const words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";

/** What GitHub may answer, and the seconds that it asks to wait; undefined: it asks for nothing. */
const answers: readonly (readonly [string, Refusal, number | undefined])[] = [
  ["403 with retry-after", { status: 403, headers: { "retry-after": "120" } }, 120],
  ["429 with retry-after", { status: 429, headers: { "retry-after": "7" } }, 7],
  [
    "429 with retry-after as a date",
    { status: 429, headers: { "retry-after": "Thu, 01 Jan 2026 12:00:30 GMT", "x-ratelimit-remaining": "0" } },
    30,
  ],
  [
    "403 with nothing remaining",
    { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 1800) } },
    1800,
  ],
  [
    "429 with nothing remaining",
    { status: 429, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 3599) } },
    3599,
  ],
  [
    "403 with a reset that has passed",
    { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now - 5) } },
    1,
  ],
  ["403 with nothing remaining and no word of a reset", { status: 403, headers: { "x-ratelimit-remaining": "0" } }, 60],
  ["403 of the secondary limit, in JSON", { status: 403, body: JSON.stringify({ message: words }) }, 60],
  ["403 of the secondary limit, as text", { status: 403, body: words, headers: { "x-ratelimit-remaining": "4999" } }, 60],
  ["429 of the secondary limit", { status: 429, body: words }, 60],
];

describe("C8: rate limits are errors that carry the wait, and nobody waits in the function", () => {
  let bed: GithubBed;
  let repository: GithubRepository;
  before(async () => {
    bed = await openGithubBed();
    repository = await bed.github.createRepository("acme/shop");
    bed.github.install("acme");
    await commit(repository.path, { "a.yaml": "kind: A\n" });
  });
  after(() => bed.close());
  afterEach(() => bed.forget());

  async function failure(act: Promise<unknown>): Promise<DriftlessError> {
    const error = await act.then(
      () => assert.fail("no error"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isDriftlessError(error, "source"), String(error));
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error.facts)}`, /few minutes/, "the body is not repeated");
    return error;
  }

  for (const [title, refusal, seconds] of answers) {
    it(`${title} asks for ${seconds} s, of the API and of Git alike, and is asked for once`, async () => {
      bed.github.refuse("api", refusal);
      const ofApi = await failure(bed.sources().source(repository.url).head("main"));
      assert.deepEqual([ofApi.facts["retryAfterSeconds"], ofApi.retryable], [seconds, true]);
      assert.deepEqual([bed.github.requests.length, bed.github.gitAuthorizations.length], [1, 0]);
      bed.github.refuse("api", undefined);
      bed.github.refuse("git", refusal);
      const sources = bed.sources();
      const ofGit = await failure(sources.source(repository.url).head("main"));
      assert.deepEqual([ofGit.facts["retryAfterSeconds"], ofGit.retryable], [seconds, true]);
      assert.equal(bed.github.gitAuthorizations.length, 1);
      bed.github.refuse("git", undefined);
      assert.match((await sources.source(repository.url).head("main")) ?? "", /^[0-9a-f]{40}$/, "then it goes on");
    });
  }

  it("while GitHub's wait lasts its API is not asked again, for no repository, and then it is", async () => {
    const sources = bed.sources();
    bed.github.refuse("api", { status: 403, headers: { "retry-after": "120" } });
    await failure(sources.source(repository.url).head("main"));
    bed.github.refuse("api", undefined);
    const began = bed.time;
    bed.time = new Date(began.getTime() + 100_000);
    const error = await failure(sources.source(repository.url.replace("shop", "till")).head("main"));
    assert.deepEqual([error.facts["retryAfterSeconds"], error.retryable, bed.github.requests.length], [20, true, 1]);
    bed.time = new Date(began.getTime() + 120_000);
    assert.match((await sources.source(repository.url).head("main")) ?? "", /^[0-9a-f]{40}$/);
    bed.time = began;
  });

  it("a 403 that is no limit is final, whatever its other headers say", async () => {
    for (const refusal of [
      { status: 403 },
      { status: 403, headers: { "x-ratelimit-remaining": "4999", "x-ratelimit-reset": String(now + 60) } },
      { status: 403, body: "x".repeat(100_000) },
    ]) {
      bed.github.refuse("git", refusal);
      const error = await failure(createSources().source(repository.url).head("main"));
      assert.deepEqual([error.retryable, error.facts["retryAfterSeconds"]], [false, undefined]);
    }
  });

  it("bodies asked for together meet a limit together: nobody asks again for himself", async () => {
    let fetches = 0;
    const gather = createGatherer(async () => {
      fetches += 1;
      throw new DriftlessError("source", "too many requests", { retryable: true, facts: { retryAfterSeconds: 60 } });
    });
    const all = await Promise.allSettled(["a", "b", "c"].map((id) => gather([id], {})));
    assert.deepEqual([fetches, all.every(({ status }) => status === "rejected")], [1, true]);
  });
});
