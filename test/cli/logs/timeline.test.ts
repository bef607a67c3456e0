import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { followStories } from "../../../cli/logs/follow.ts";
import { answers, type LogLine, type LogSource } from "../../../cli/logs/log-source.ts";
import { type Asked, lookUp } from "../../../cli/logs/look-up.ts";
import { sentenceOf } from "../../../cli/logs/sentences.ts";
import { storiesOf, storyText } from "../../../cli/logs/timeline.ts";

const noon = Date.parse("2026-01-31T12:00:00.000Z");
const aLine = (afterMs: number, event: string, fields: LogLine["fields"] = {}): LogLine => ({
  time: new Date(noon + afterMs).toISOString(),
  level: "info",
  event,
  fields,
});
const counts = { created: 2, configured: 0, unchanged: 1, pruned: 0, failed: 0 };
const of = (application: string, more: LogLine["fields"] = {}) => ({ correlationId: "d1", application, ...more });

const push: readonly LogLine[] = [
  aLine(0, "webhook.queued", { function: "webhook", correlationId: "d1", branch: "main", after: "17045a6f00" }),
  aLine(3, "webhook.answered", { function: "webhook", correlationId: "d1", state: "queued", reason: "" }),
  aLine(120, "plan.begun", { function: "plan", correlationId: "d1", branch: "main", revision: "17045a6f00" }),
  aLine(300, "plan.rendered", { function: "plan", ...of("shop", { objects: 3, durationMs: 180 }) }),
  aLine(410, "plan.changed", { function: "plan", ...of("shop", { objects: 3, reused: false }) }),
  aLine(420, "plan.held", { function: "plan", ...of("blog", { reason: "its sync window opens at 18:00" }) }),
  aLine(500, "sync.begun", { function: "sync", ...of("shop", { sync: "s1", revision: "17045a6f00", trigger: "push" }) }),
  aLine(1200, "sync.applied", { function: "sync", ...of("shop", { sync: "s1", step: 0, steps: 1, counts }) }),
  aLine(2000, "sync.waiting", {
    function: "sync",
    ...of("shop", { sync: "s1", health: "Progressing", message: "1 of 2 ready" }),
  }),
  aLine(5300, "sync.recorded", { function: "sync", ...of("shop", { sync: "s1", phase: "Succeeded", counts, errors: [] }) }),
];
const heal: readonly LogLine[] = [
  aLine(60_000, "sweep.drift", {
    function: "sweep",
    sweep: "w1",
    application: "shop",
    kind: "changed",
    ref: "Deployment web",
    field: "spec.replicas",
    manager: "kubectl",
  }),
  aLine(60_010, "sweep.heal", { function: "sweep", sweep: "w1", cluster: "eu", applications: ["shop"] }),
  aLine(60_011, "sweep.heal", { function: "sweep", sweep: "w1", cluster: "us", applications: ["blog"] }),
  aLine(60_100, "sync.begun", {
    function: "sync",
    correlationId: "w1",
    application: "shop",
    sync: "s2",
    revision: "17045a6",
    trigger: "heal",
  }),
  aLine(61_000, "sync.recorded", {
    function: "sync",
    correlationId: "w1",
    application: "shop",
    sync: "s2",
    phase: "Failed",
    counts,
    errors: ["Deployment web: no"],
  }),
];
const metrics = aLine(5301, "metrics", { function: "sync", cluster: "eu", application: "shop", correlationId: "d1" });

const source: LogSource = {
  place: "memory",
  find: async (question) => ({ lines: [...push, ...heal, metrics].filter((line) => answers(line, question)), cut: false }),
  async *follow() {
    yield* [...push, ...heal, metrics];
  },
};
const look = async (asked: Asked) => (await lookUp(source, asked, { since: new Date(noon), until: new Date(noon) })).stories;

describe("the timeline of a delivery", () => {
  test("tells each step in plain words with the time since the beginning, and ends with how each application went", async () => {
    const [story] = await look({ delivery: "d1" });
    assert.equal(
      story && storyText(story),
      `Delivery d1
TIME                 AFTER    FUNCTION  APPLICATION  WHAT
2026-01-31 12:00:00           webhook                push to main taken in, head 17045a6
2026-01-31 12:00:00  +0.12 s  plan                   main is at 17045a6
2026-01-31 12:00:00  +0.30 s  plan      shop         rendered 3 objects in 0.18 s
2026-01-31 12:00:00  +0.41 s  plan      shop         new desired state
2026-01-31 12:00:00  +0.42 s  plan      blog         waits: its sync window opens at 18:00
2026-01-31 12:00:00  +0.50 s  sync      shop         sync s1 begins at 17045a6 (push)
2026-01-31 12:00:01  +1.2 s   sync      shop         applied: 2 created, 1 unchanged
2026-01-31 12:00:02  +2.0 s   sync      shop         Progressing: 1 of 2 ready
2026-01-31 12:00:05  +5.3 s   sync      shop         Succeeded: 2 created, 1 unchanged
shop: delivered -> planned 0.41 s -> applied 1.2 s -> healthy 5.3 s
blog: delivered -> planned 0.42 s: waits: its sync window opens at 18:00
`,
    );
  });

  test("of one application leaves the others out, and keeps what led to it", async () => {
    const stories = await look({ application: "blog" });
    assert.deepEqual(
      stories.map(({ id, lines }) => [id, lines.map(({ event }) => event)]),
      [["d1", ["webhook.queued", "webhook.answered", "plan.begun", "plan.held"]]],
    );
  });

  test("of a heal begins with the drift that the sweep saw, and says that it failed", async () => {
    const [story] = await look({ sync: "s2" });
    assert.equal(story?.began, "sweep");
    const text = story === undefined ? "" : storyText(story);
    assert.match(text, /DRIFT, changed: Deployment web spec\.replicas by kubectl/);
    assert.match(text, /heals shop in eu/);
    assert.doesNotMatch(text, /blog/);
    assert.match(text, /shop: seen -> begun 0\.10 s -> Failed 1\.0 s\n$/);
  });

  test("with nothing named tells every story, in the order in which they began", async () => {
    assert.deepEqual(
      (await look({})).map(({ id, began, lines }) => [id, began, lines.length]),
      [
        ["d1", "delivery", 10],
        ["w1", "sweep", 5],
      ],
    );
  });

  test("a story whose sync has not ended says so", () => {
    const [story] = storiesOf(push.slice(0, 9));
    assert.match(
      story === undefined ? "" : storyText(story),
      /shop: delivered -> planned 0\.41 s -> applied 1\.2 s, not ended yet\n/,
    );
  });

  test("what stands in a commit or an object cannot draw on the terminal", () => {
    const line = aLine(0, "plan.failed", { error: "bad\u001b[2Jtext\nnext" });
    assert.equal(sentenceOf(line), "PLAN FAILED: bad?[2Jtext | next");
  });

  test("an event without words of its own comes with its facts, and an error with its message", () => {
    const error = { name: "DriftlessError", message: "away", code: "cluster" };
    assert.equal(
      sentenceOf(aLine(0, "new.event", { function: "plan", correlationId: "d1", error, n: 2, empty: "" })),
      "new.event error=away n=2",
    );
  });
});

describe("following", () => {
  const signal = new AbortController().signal;
  const heard = async (asked: Asked, { json = false } = {}): Promise<readonly string[]> => {
    const lines: string[] = [];
    for await (const line of followStories(source, asked, { json, signal })) lines.push(line);
    return lines;
  };

  test("of one application begins with what led to it, and ends a sync with how it went", async () => {
    const lines = await heard({ application: "shop" });
    assert.match(lines[0] ?? "", /^2026-01-31 12:00:00 {11}webhook {4}push to main taken in/);
    assert.ok(lines.some((line) => /^2026-01-31 12:00:00 {2}\+0\.41 s {2}plan {5}shop {2}/.test(line)));
    assert.ok(lines.includes("shop: delivered -> planned 0.41 s -> applied 1.2 s -> healthy 5.3 s"));
    assert.ok(!lines.some((line) => line.includes("blog")));
    assert.ok(lines.some((line) => line.includes("heals shop in eu")));
  });

  test("of a delivery tells nothing of other stories", async () => {
    const lines = await heard({ delivery: "w1" });
    assert.match(lines[0] ?? "", /DRIFT, changed/);
    assert.ok(!lines.some((line) => line.includes("taken in")));
  });

  test("for programs is one JSON object a line", async () => {
    const events = (await heard({ sync: "s2" }, { json: true })).map((line) => (JSON.parse(line) as { event: string }).event);
    assert.deepEqual(events, ["sweep.drift", "sweep.heal", "sweep.heal", "sync.begun", "sync.recorded"]);
  });
});
