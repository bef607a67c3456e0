import assert from "node:assert/strict";
import { test } from "node:test";
import { DriftlessError } from "../../lib/errors.ts";
import { type JsonLogOptions, jsonLog, type Log, type LogLevel, silentLog } from "../../lib/telemetry/log.ts";

const clock = { now: () => new Date("2026-01-31T12:00:00.005Z") };

function recordingLog(options: JsonLogOptions = {}): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, log: jsonLog({ clock, write: (line) => lines.push(line), ...options }) };
}

test("a line is one JSON object: time, level, event, then the facts", () => {
  const { log, lines } = recordingLog();
  log.info("sync.pruned", { application: "shop", count: 2 });
  assert.deepEqual(lines, [
    '{"time":"2026-01-31T12:00:00.005Z","level":"info","event":"sync.pruned","application":"shop","count":2}\n',
  ]);
});

test("a text with line breaks stays on one line", () => {
  const { log, lines } = recordingLog();
  log.warn("plan.warning", { warning: "a\nb\u2028c" });
  assert.equal(lines.join("").split("\n").length, 2);
});

const written: readonly (readonly [LogLevel, readonly string[]])[] = [
  ["debug", ["debug", "info", "warn", "error"]],
  ["info", ["info", "warn", "error"]],
  ["warn", ["warn", "error"]],
  ["error", ["error"]],
];
for (const [level, expected] of written) {
  test(`a log of level ${level} writes ${expected.join(", ")}`, () => {
    const { log, lines } = recordingLog({ level });
    log.debug("debug");
    log.info("info");
    log.warn("warn");
    log.error("error");
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { event: string }).event),
      expected,
    );
  });
}

test("debug is not written unless it is asked for", () => {
  const { log, lines } = recordingLog();
  log.debug("noise");
  assert.deepEqual(lines, []);
});

test("fields that were added to a log stand in each of its lines, and in no line of the log it came from", () => {
  const { log, lines } = recordingLog({ level: "warn" });
  const child = log.with({ application: "shop", sync: "1" }).with({ sync: "2" });
  child.info("dropped");
  child.warn("kept", { ref: "a" });
  log.warn("plain");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as object),
    [
      { time: "2026-01-31T12:00:00.005Z", level: "warn", event: "kept", application: "shop", sync: "2", ref: "a" },
      { time: "2026-01-31T12:00:00.005Z", level: "warn", event: "plain" },
    ],
  );
});

test("an error comes with its name, message, code and causes, and nothing else", () => {
  const { log, lines } = recordingLog();
  const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED", socket: { authorization: "x" } });
  log.error("sweep.failed", { error: new DriftlessError("cluster", "away", { cause, retryable: true }) });
  assert.deepEqual((JSON.parse(lines[0] ?? "") as { error: object }).error, {
    name: "DriftlessError",
    message: "away",
    code: "cluster",
    cause: { name: "Error", message: "connect", code: "ECONNREFUSED" },
  });
});

test("what looks like a credential is not written, deep in an error either", () => {
  const { log, lines } = recordingLog();
  const token = `ghp_${"a1B2".repeat(8)}`;
  log.info(`event-${token}`, { url: "https://ada:pw@host/a", error: new Error("x", { cause: new Error(token) }), list: [token] });
  assert.ok(!lines.join("").includes(token) && !lines.join("").includes("ada:pw"));
});

test("a bigint is written as its digits, an undefined field is left out", () => {
  const { log, lines } = recordingLog();
  log.info("x", { id: 9007199254740993n, gone: undefined });
  assert.equal(lines[0], '{"time":"2026-01-31T12:00:00.005Z","level":"info","event":"x","id":"9007199254740993"}\n');
});

test("causes that go round in a circle are written once round, and the line stands", () => {
  const { log, lines } = recordingLog();
  const first = new Error("first");
  const second = new Error("second", { cause: first });
  first.cause = second;
  log.error("loop", { error: first });
  assert.match(lines[0] ?? "", /"first".*"second"/);
});

test("the silent log says nothing, whatever is added to it", () => {
  assert.equal(silentLog.with({ a: 1 }), silentLog);
  for (const level of ["debug", "info", "warn", "error"] as const) assert.equal(silentLog[level]("x", { a: 1 }), undefined);
});
