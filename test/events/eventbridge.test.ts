import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, describe, test } from "node:test";
import { type LocalEvents, startEvents } from "../../cli/local/events.ts";
import { createSignedPost } from "../../lib/aws/signed-post.ts";
import { driftEvents, healedEvents } from "../../lib/events/drift-events.ts";
import { createEventBridge } from "../../lib/events/eventbridge.ts";
import type { DriftlessEvent, EventBus } from "../../lib/events/events.ts";
import { systemClock as clock } from "../../lib/telemetry/clock.ts";
import { jsonLog } from "../../lib/telemetry/log.ts";
import { aRow } from "../contracts/rows.ts";

type Line = Readonly<Record<string, unknown>>;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
after(() => assert.equal(closing.length, 0));

/** A bus at an endpoint, and what it logs. */
function busAt(endpoint: string, bus = "default"): { readonly bus: EventBus; readonly lines: Line[] } {
  const lines: Line[] = [];
  const log = jsonLog({ write: (line) => lines.push(JSON.parse(line) as Line) });
  const credentials = () => Promise.resolve({ accessKeyId: "local", secretAccessKey: "local" });
  const post = createSignedPost({ endpoint, region: "us-east-1", service: "events", credentials, clock });
  closing.push(async () => post.close());
  return { bus: createEventBridge({ post, bus, log }), lines };
}

async function standIn(): Promise<LocalEvents> {
  const events = await startEvents();
  closing.push(() => events.close());
  return events;
}

interface Sent {
  readonly Entries: readonly { readonly Detail: string; readonly DetailType: string }[];
}

/** A service that answers each request by the next of these answers; what it was sent. */
async function scripted(...answers: readonly ((sent: Sent) => readonly [number, unknown])[]) {
  const sent: Sent[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Sent;
      const answer = answers[sent.length] ?? answers.at(-1);
      sent.push(body);
      const [status, text] = answer?.(body) ?? [500, {}];
      response.writeHead(status).end(JSON.stringify(text));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  );
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}

const taken = ({ Entries }: Sent) => [200, { FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: "e" })) }] as const;

function drift(application: string, text = "x"): DriftlessEvent {
  const facts = { application, cluster: "eu", correlationId: "sweep-1", at: "2025-03-01T12:00:00.000Z" };
  const [event] = driftEvents("DriftDetected", { ...facts, rows: [aRow({ application, live: text })] });
  assert.ok(event);
  return event;
}

describe("events of drift", () => {
  const facts = { application: "shop", cluster: "eu", correlationId: "sweep-1", at: "2025-03-01T12:00:00.000Z" };

  test("one event tells an application's drift: how many rows, and the first twenty", () => {
    const rows = Array.from({ length: 23 }, (_, at) => aRow({ field: `data.k${at}` }));
    const [event, ...others] = driftEvents("DriftDetected", { ...facts, rows });
    assert.deepEqual(others, []);
    assert.ok(event?.detailType === "DriftDetected");
    const { rows: told, ...rest } = event.detail;
    assert.deepEqual(rest, { version: 1, ...facts, count: 23 });
    assert.equal(told.length, 20);
    assert.deepEqual(told[0], {
      kind: "changed",
      ref: { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: "web" },
      field: "data.k0",
      desired: 3,
      live: 5,
      manager: "kubectl-scale",
      operation: "Update",
      changedAt: "2025-03-01T11:58:00Z",
      firstSeen: "2025-03-01T11:58:30.000Z",
      lastSeen: "2025-03-01T11:58:30.000Z",
    });
  });

  test("nothing happened, no event", () => {
    assert.deepEqual(driftEvents("DriftFight", { ...facts, rows: [] }), []);
    assert.deepEqual(healedEvents({ ...facts, sync: "run-1", rows: [] }), []);
  });

  test("of a long value only the part that differs is told", () => {
    const [event] = healedEvents({
      ...facts,
      sync: "run-1",
      rows: [aRow({ desired: `${"a".repeat(5000)}1`, live: `${"a".repeat(5000)}2` })],
    });
    assert.ok(event?.detailType === "DriftHealed");
    const [row] = event.detail.rows;
    assert.deepEqual([event.detail.sync, row?.desired, row?.live], ["run-1", `…${"a".repeat(40)}1`, `…${"a".repeat(40)}2`]);
  });
});

describe("EventBridge", () => {
  test("events arrive with the source driftless and their detail type, on the bus that is named", async () => {
    const events = await standIn();
    const { bus, lines } = busAt(events.endpoint);
    await bus.publish([drift("shop")]);
    assert.deepEqual(
      events.events.map(({ source, detailType, bus: name, detail }) => [source, detailType, name, detail["application"]]),
      [["driftless", "DriftDetected", "default", "shop"]],
    );
    assert.deepEqual(lines, []);
  });

  test("at most ten events go in one request, all in order", async () => {
    const { endpoint, sent } = await scripted(taken);
    await busAt(endpoint).bus.publish(Array.from({ length: 23 }, (_, at) => drift(`app-${at}`)));
    assert.deepEqual(
      sent.map(({ Entries }) => Entries.length),
      [10, 10, 3],
    );
    const names = sent.flatMap(({ Entries }) => Entries.map(({ Detail }) => (JSON.parse(Detail) as Line)["application"]));
    assert.deepEqual(
      names,
      Array.from({ length: 23 }, (_, at) => `app-${at}`),
    );
  });

  test("no request is larger than 256 KB; an event that is larger alone is logged and not sent", async () => {
    const { endpoint, sent } = await scripted(taken);
    const { bus, lines } = busAt(endpoint);
    const sized = (bytes: number, name: string): DriftlessEvent => {
      const event = drift(name);
      assert.ok(event.detailType === "DriftDetected");
      return { ...event, detail: { ...event.detail, cluster: "c".repeat(bytes) } };
    };
    await bus.publish([sized(150_000, "a"), sized(150_000, "b"), sized(300_000, "c"), drift("d")]);
    const names = sent.map(({ Entries }) => Entries.map(({ Detail }) => (JSON.parse(Detail) as Line)["application"]));
    assert.deepEqual(names, [["a"], ["b", "d"]]);
    assert.deepEqual(
      lines.map(({ event, application, level }) => [event, application, level]),
      [["events.lost", "c", "error"]],
    );
  });

  test("an event that is refused is sent once more, alone; the others are not sent twice", async () => {
    const { endpoint, sent } = await scripted(
      ({ Entries }) => [
        200,
        {
          FailedEntryCount: 1,
          Entries: Entries.map((_, at) => (at === 1 ? { ErrorCode: "ThrottlingException" } : { EventId: "e" })),
        },
      ],
      taken,
    );
    const { bus, lines } = busAt(endpoint);
    await bus.publish([drift("a"), drift("b"), drift("c")]);
    const names = sent.map(({ Entries }) => Entries.map(({ Detail }) => (JSON.parse(Detail) as Line)["application"]));
    assert.deepEqual(names, [["a", "b", "c"], ["b"]]);
    assert.deepEqual(lines, []);
  });

  test("what is refused twice is logged with the reason, and the publisher goes on", async () => {
    const refused = ({ Entries }: Sent) =>
      [200, { FailedEntryCount: 1, Entries: Entries.map(() => ({ ErrorCode: "InternalFailure", ErrorMessage: "no" })) }] as const;
    const { endpoint, sent } = await scripted(refused);
    const { bus, lines } = busAt(endpoint, "drift");
    await bus.publish([drift("a")]);
    assert.equal(sent.length, 2);
    const [{ time: _at, ...line } = {}] = lines;
    assert.deepEqual(line, {
      level: "error",
      event: "events.lost",
      detailType: "DriftDetected",
      application: "a",
      correlationId: "sweep-1",
      bus: "drift",
      reason: "InternalFailure: no",
    });
  });

  test("a bus that is away, or says no, fails nothing", async () => {
    const { endpoint } = await scripted(() => [400, { __type: "AccessDeniedException", message: "not you" }]);
    for (const place of [endpoint, "http://127.0.0.1:1"]) {
      const { bus, lines } = busAt(place);
      await bus.publish([drift("a")]);
      assert.deepEqual(
        lines.map(({ event }) => event),
        ["events.lost"],
      );
    }
  });

  test("a deadline that is over is no reason to wait", async () => {
    const { endpoint, sent } = await scripted(taken);
    const { bus, lines } = busAt(endpoint);
    await bus.publish([drift("a")], { signal: AbortSignal.abort(new Error("over")) });
    assert.deepEqual([sent.length, lines.length], [0, 1]);
  });
});
