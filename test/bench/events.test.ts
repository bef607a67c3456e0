import assert from "node:assert/strict";
import { test } from "node:test";
import { createFunctionEvents } from "../../bench/events.ts";

const recorded = (application: string, fields: object = {}): string =>
  JSON.stringify({
    event: "sync.recorded",
    level: "info",
    application,
    correlationId: "d-1",
    phase: "Succeeded",
    errors: [],
    ...fields,
  });

const newEvents = (controller = new AbortController()) => ({
  controller,
  events: createFunctionEvents({ signal: controller.signal }),
});

test("syncs are recorded when each has said so, whether before or after one asks", async () => {
  const { events } = newEvents();
  events.write(recorded("app-000"));
  const all = events.recorded(["app-000", "app-001"], { correlationId: "d-1" });
  const before = performance.now();
  events.write("no JSON");
  events.write(recorded("app-001", { correlationId: "another" }));
  events.write(recorded("app-001"));
  assert.ok((await all) >= before);
});

test("of any delivery, syncs are known by their applications alone, and those that wait are told apart", async () => {
  const { events } = newEvents();
  const ended = events.recorded(["app-000"]);
  const waiting = events.waiting(["app-001"]);
  events.write(recorded("app-001"));
  events.write(recorded("app-001", { event: "sync.waiting" }));
  assert.ok((await waiting) > 0);
  events.write(recorded("app-000", { correlationId: "another" }));
  assert.ok((await ended) > 0);
});

test("a sync that did not succeed ends the wait with its errors", async () => {
  const { events } = newEvents();
  const all = events.recorded(["app-000"], { correlationId: "d-1" });
  events.write(recorded("app-000", { phase: "Failed", errors: ["Service web: refused"] }));
  await assert.rejects(all, /sync of app-000 ended Failed: Service web: refused/);
});

test("a refused plan ends the wait with its reason", async () => {
  const { events } = newEvents();
  events.write(JSON.stringify({ event: "plan.refused", level: "warn", correlationId: "d-1", error: "line 3 is wrong" }));
  await assert.rejects(events.recorded(["app-000"], { correlationId: "d-1" }), /plan\.refused.*line 3 is wrong/);
});

test("the time of an event is that of the last one of its delivery, and is forgotten when asked", () => {
  const { events } = newEvents();
  events.write(JSON.stringify({ event: "plan.started", correlationId: "d-1" }));
  assert.ok(events.last("plan.started", "d-1"));
  assert.equal(events.last("plan.started", "d-2"), undefined);
  events.clear();
  assert.equal(events.last("plan.started", "d-1"), undefined);
});

test("a stop ends the wait", async () => {
  const { controller, events } = newEvents();
  const all = events.recorded(["app-000"], { correlationId: "d-1" });
  controller.abort(new Error("stopped by SIGINT"));
  await assert.rejects(all, /stopped by SIGINT/);
});

test("the newest warning is kept for an error's text", () => {
  const { events } = newEvents();
  assert.equal(events.complaint(), "");
  events.write(JSON.stringify({ event: "sweep.failed", level: "error", error: "no cluster" }));
  assert.match(events.complaint(), /sweep\.failed.*no cluster/);
});
