import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { openLogFile } from "../../../cli/local/log-file.ts";
import { createCloudWatchLogSource } from "../../../cli/logs/cloudwatch.ts";
import { createLocalLogSource } from "../../../cli/logs/local-file.ts";
import type { LogLine, LogQuestion, LogSource } from "../../../cli/logs/log-source.ts";
import { loggingFunctions } from "../../../cli/logs/queries.ts";
import { isDriftlessError } from "../../../lib/errors.ts";
import { type LogsService, type LogsServiceOptions, startLogsService } from "../../support/logs-service.ts";

const noon = Date.parse("2026-01-31T12:00:00.000Z");
const span = { since: new Date(noon), until: new Date(noon + 60_000) };

function aLine(afterMs: number, event: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ time: new Date(noon + afterMs).toISOString(), level: "info", event, ...fields });
}

const lines = [
  aLine(-1000, "webhook.queued", { function: "webhook", correlationId: "d0" }),
  aLine(0, "webhook.queued", { function: "webhook", correlationId: "d1", branch: "main" }),
  aLine(100, "plan.begun", { function: "plan", correlationId: "d1" }),
  aLine(200, "plan.changed", { function: "plan", correlationId: "d1", application: "shop" }),
  aLine(250, "plan.changed", { function: "plan", correlationId: "d1", application: 'odd "name" or \\x' }),
  aLine(300, "sync.begun", { function: "sync", correlationId: "d1", application: "shop", sync: "s1" }),
  aLine(350, "metrics", { function: "sync", cluster: "eu", application: "shop", SyncDuration: 12 }),
  aLine(400, "sync.begun", { function: "sync", correlationId: "w1", application: "blog", sync: "s2" }),
  aLine(500, "sweep.heal", { function: "sweep", sweep: "w1", applications: ["blog"] }),
  "a crash that is no line of ours",
  aLine(120_000, "sync.begun", { function: "sync", correlationId: "d9", application: "shop", sync: "s9" }),
];

interface Held {
  readonly source: LogSource;
  write(line: string): Promise<void>;
  close(): Promise<void>;
}

const client = (endpoint: string) =>
  new CloudWatchLogsClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    disableHostPrefix: true,
    maxAttempts: 1,
  });

const groupOf = (line: string): string => {
  const name = /"function":"(\w+)"/.exec(line)?.[1] ?? "sync";
  return `/aws/lambda/driftless-prod-${name}`;
};

async function onAws(
  options: LogsServiceOptions = {},
): Promise<Held & { readonly service: LogsService; readonly said: string[] }> {
  const service = await startLogsService(options);
  for (const name of loggingFunctions) service.put(`/aws/lambda/driftless-prod-${name}`, "INIT_START", new Date(noon));
  for (const line of lines) service.put(groupOf(line), line, new Date(/"time":"([^"]+)"/.exec(line)?.[1] ?? noon));
  const said: string[] = [];
  const logs = client(service.endpoint);
  const place = { stack: "driftless-prod", region: "us-east-1" };
  const source = createCloudWatchLogSource({
    client: logs,
    ...place,
    pauseMs: 5,
    timeoutMs: 2000,
    say: (line) => said.push(line),
  });
  return {
    source,
    service,
    said,
    write: async (line) => service.put(groupOf(line), line),
    async close() {
      logs.destroy();
      await service.close();
    },
  };
}

async function onThisMachine(): Promise<Held> {
  const folder = await mkdtemp(join(tmpdir(), "driftless-logs-"));
  const file = join(folder, "functions.log");
  await appendFile(file, lines.map((line) => `${line}\n`).join(""));
  return {
    source: createLocalLogSource({ file }),
    write: (line) => appendFile(file, `${line}\n`),
    close: () => rm(folder, { recursive: true }),
  };
}

const told = ({ event, fields }: LogLine): string =>
  [event, fields["correlationId"] ?? fields["sweep"], fields["application"]].filter((part) => typeof part === "string").join(" ");

const questions: readonly (readonly [what: string, question: LogQuestion, expected: readonly string[]])[] = [
  [
    "of everything that was set off by something",
    { kind: "traced" },
    [
      "webhook.queued d1",
      "plan.begun d1",
      "plan.changed d1 shop",
      'plan.changed d1 odd "name" or \\x',
      "sync.begun d1 shop",
      "sync.begun w1 blog",
    ],
  ],
  [
    "of an application, without its metrics",
    { kind: "application", name: "shop" },
    ["plan.changed d1 shop", "sync.begun d1 shop"],
  ],
  [
    "of an application with a name that is no word",
    { kind: "application", name: 'odd "name" or \\x' },
    ['plan.changed d1 odd "name" or \\x'],
  ],
  ["of a sync", { kind: "sync", id: "s1" }, ["sync.begun d1 shop"]],
  ["of a sweep, and of what it started", { kind: "correlation", ids: ["w1"] }, ["sync.begun w1 blog", "sweep.heal w1"]],
  ["of what nobody knows", { kind: "sync", id: 's1" or sync = "s2' }, []],
];

for (const [name, open] of [
  ["CloudWatch Logs", onAws],
  ["the log of this machine", onThisMachine],
] as const) {
  describe(`a log source: ${name}`, () => {
    let held: Held;
    before(async () => {
      held = await open();
    });
    after(() => held.close());

    for (const [what, question, expected] of questions) {
      test(`finds the lines ${what}, oldest first, within the time that was asked for`, async () => {
        const { lines: found, cut } = await held.source.find(question, span);
        assert.deepEqual(found.map(told), expected);
        assert.equal(cut, false);
      });
    }

    test("tells what is written from now on, and ends when nobody listens", async () => {
      const ending = new AbortController();
      const heard: string[] = [];
      const following = (async () => {
        for await (const line of held.source.follow({ signal: ending.signal })) {
          heard.push(told(line));
          if (heard.length === 2) ending.abort();
        }
      })();
      const writes = setInterval(() => {
        if (heard.length === 0) void held.write(aLine(900, "sync.begun", { function: "sync", correlationId: "f1" }));
        else void held.write(aLine(901, "sync.recorded", { function: "sync", correlationId: "f1" }));
      }, 50);
      try {
        await following;
      } finally {
        clearInterval(writes);
      }
      assert.equal(heard[0], "sync.begun f1");
      assert.ok(heard.every((line) => line.endsWith("f1")));
    });
  });
}

describe("CloudWatch Logs", () => {
  async function failure(held: Held, signal?: AbortSignal): Promise<string> {
    try {
      await held.source.find({ kind: "traced" }, signal === undefined ? span : { ...span, signal });
    } catch (error) {
      assert.ok(isDriftlessError(error, "config"));
      return error.message;
    } finally {
      await held.close();
    }
    return assert.fail("it did not fail");
  }

  test("a query that takes several looks is waited for", async () => {
    const held = await onAws({ looks: 3 });
    assert.equal((await held.source.find({ kind: "sync", id: "s1" }, span)).lines.length, 1);
    assert.equal(held.service.calls.filter((call) => call === "GetQueryResults").length, 3);
    await held.close();
  });

  test("a query that does not end in time is stopped, and named with its region", async () => {
    const held = await onAws({ ending: "Running" });
    assert.match(
      await failure(held),
      /^query [0-9a-f-]{36} of CloudWatch Logs in us-east-1, stack driftless-prod: it was stopped, since it took more than 2 s$/,
    );
    assert.ok(held.service.calls.includes("StopQuery"));
  });

  test("a query that nobody waits for any more is stopped", async () => {
    const held = await onAws({ ending: "Running" });
    const ending = new AbortController();
    const failed = failure(held, ending.signal);
    while (!held.service.calls.includes("GetQueryResults")) await new Promise(setImmediate);
    ending.abort();
    await failed;
    assert.ok(held.service.calls.includes("StopQuery"));
  });

  test("a query that fails is named, and how it ended", async () => {
    assert.match(
      await failure(await onAws({ ending: "Failed" })),
      /^query \S+ of CloudWatch Logs in us-east-1, .*: it ended as Failed$/,
    );
  });

  test("who may not query is told what it takes", async () => {
    const message = await failure(await onAws({ denied: ["StartQuery"] }));
    assert.match(message, /AccessDeniedException: not authorized to perform: logs:StartQuery: it takes logs:StartQuery,/);
  });

  test("a stack that is not there is asked about", async () => {
    const service = await startLogsService();
    const logs = client(service.endpoint);
    const source = createCloudWatchLogSource({ client: logs, stack: "driftless-qa", region: "eu-central-1" });
    await assert.rejects(
      source.find({ kind: "traced" }, span),
      /eu-central-1, stack driftless-qa: ResourceNotFoundException: .* is it another --stack or --region\?$/,
    );
    await assert.rejects(async () => {
      for await (const _ of source.follow({ signal: new AbortController().signal }));
    }, /following CloudWatch Logs in eu-central-1, stack driftless-qa: .*no log group begins with .aws.lambda.driftless-qa-/);
    logs.destroy();
    await service.close();
  });

  test("where live tail is not allowed, the log is looked at again and again, and each line told once", async () => {
    const held = await onAws({ denied: ["StartLiveTail"] });
    const ending = new AbortController();
    const heard: string[] = [];
    const first = aLine(1, "sync.begun", { function: "sync", correlationId: "f2" });
    const looks = () => held.service.calls.filter((call) => call === "FilterLogEvents").length;
    const following = (async () => {
      for await (const line of held.source.follow({ signal: ending.signal })) heard.push(told(line));
    })();
    while (looks() === 0) await new Promise(setImmediate);
    await held.write(first);
    const seen = looks();
    while (looks() < seen + 4 * loggingFunctions.length) await new Promise(setImmediate);
    ending.abort();
    await following;
    assert.deepEqual(heard, ["sync.begun f2"]);
    assert.deepEqual(held.said, ["live tail is not to be had (AccessDeniedException): the log is looked at every few seconds"]);
    await held.close();
  });
});

describe("the log file of this machine", () => {
  test("stays below its limit, keeps what came before, and holds nothing that looks like a credential", async () => {
    const folder = await mkdtemp(join(tmpdir(), "driftless-logs-"));
    const path = join(folder, "functions.log");
    const file = openLogFile(path, { limit: 600 });
    const source = createLocalLogSource({ file: path });
    for (let at = 0; at < 12; at += 1)
      file.write(aLine(at, "sync.begun", { correlationId: `d${at}`, url: "https://ada:pw@host/" }));
    file.close();
    const { lines: found } = await source.find({ kind: "traced" }, span);
    assert.ok(found.length >= 4 && found.length < 12);
    assert.equal(found.at(-1)?.fields["correlationId"], "d11");
    assert.ok(found.every(({ fields }) => fields["url"] === "https://[secret]@host/"));
    await rm(folder, { recursive: true });
  });

  test("that cannot be read says so", async () => {
    const source = createLocalLogSource({ file: "/nonexistent/functions.log" });
    await assert.rejects(source.find({ kind: "traced" }, span), /the log of this machine cannot be read: ENOENT/);
  });
});
