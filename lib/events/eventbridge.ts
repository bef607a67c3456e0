import { setTimeout as delay } from "node:timers/promises";
import { outdatedSignatures, type PostAnswer, type SignedPost } from "../aws/signed-post.ts";
import { messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { type JsonValue, stringifyJson } from "../model/json.ts";
import type { Log } from "../telemetry/log.ts";
import { type DriftlessEvent, type EventBus, eventSource } from "./events.ts";

export interface EventBridgeDeps {
  readonly post: SignedPost;
  /** Name of the event bus. */
  readonly bus: string;
  readonly log: Log;
}

/** What one PutEvents takes: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const mostEntries = 10;
const mostBytes = 256 * 1024;
/** Milliseconds before what was refused is sent once more. */
const pauseMs = 100;

/** EventBridge has a code of its own beside those of every service. */
const outdated = new RegExp(`\\b(${[...outdatedSignatures, "IncompleteSignature"].join("|")})\\b`);

interface Entry {
  readonly event: DriftlessEvent;
  readonly body: Readonly<Record<"Source" | "DetailType" | "Detail" | "EventBusName", string>>;
  readonly bytes: number;
}

/** An entry that the bus did not take, and why. */
interface Refusal {
  readonly entry: Entry;
  readonly reason: string;
}

interface EntryAnswer {
  readonly EventId?: string;
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
}

/** Events over EventBridge's JSON protocol; what a bus refuses is sent once more, then logged. */
export function createEventBridge({ post, bus, log }: EventBridgeDeps): EventBus {
  return {
    async publish(events, options = {}) {
      const entries = events.map((event) => entryOf(event, bus));
      const fitting = entries.filter(({ bytes }) => bytes <= mostBytes);
      for (const { event, bytes } of entries) {
        if (bytes > mostBytes) logLost(event, `${bytes} bytes are more than a bus takes`);
      }
      for (const batch of batchesOf(fitting)) {
        const refused = await send(batch, options);
        if (refused.length === 0) continue;
        const lost = options.signal?.aborted === true ? refused : await again(refused, options);
        for (const { entry, reason } of lost) logLost(entry.event, reason);
      }
    },
  };

  async function again(refused: readonly Refusal[], options: CallOptions): Promise<readonly Refusal[]> {
    try {
      await delay(pauseMs, undefined, options);
    } catch {
      return refused;
    }
    return send(
      refused.map(({ entry }) => entry),
      options,
    );
  }

  async function send(batch: readonly Entry[], options: CallOptions): Promise<readonly Refusal[]> {
    const all = (reason: string): readonly Refusal[] => batch.map((entry) => ({ entry, reason }));
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSEvents.PutEvents" };
    try {
      const answer = await post.send({ headers, body: JSON.stringify({ Entries: batch.map(({ body }) => body) }) }, options);
      if (answer.status === 200) return refusalsOf(batch, answer);
      const text = answer.body.toString("utf8").slice(0, 500);
      if (outdated.test(text)) await post.renew(answer);
      return all(`EventBridge answered ${answer.status}: ${text}`);
    } catch (error) {
      return all(messageOf(error));
    }
  }

  function logLost({ detailType, detail }: DriftlessEvent, reason: string): void {
    const { correlationId } = detail;
    const application = "application" in detail ? detail.application : "";
    log.error("events.lost", { detailType, application, correlationId, bus, reason });
  }
}

/** The answers stand in the order of what was sent. */
function refusalsOf(batch: readonly Entry[], { body }: PostAnswer): readonly Refusal[] {
  const { FailedEntryCount: failed = 0, Entries: answers = [] } = JSON.parse(body.toString("utf8")) as {
    readonly FailedEntryCount?: number;
    readonly Entries?: readonly EntryAnswer[];
  };
  if (failed === 0) return [];
  return batch.flatMap((entry, index) => {
    const { ErrorCode: code, ErrorMessage: message = "" } = answers[index] ?? {};
    return code === undefined ? [] : [{ entry, reason: `${code}: ${message}` }];
  });
}

function entryOf(event: DriftlessEvent, bus: string): Entry {
  const Detail = stringifyJson(event.detail as unknown as JsonValue);
  const body = { Source: eventSource, DetailType: event.detailType, Detail, EventBusName: bus };
  const bytes = [body.Source, body.DetailType, Detail].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return { event, body, bytes };
}

function batchesOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const batches: Entry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const last = batches.at(-1);
    if (last === undefined || last.length === mostEntries || entry.bytes > room) {
      batches.push([entry]);
      room = mostBytes - entry.bytes;
    } else {
      last.push(entry);
      room -= entry.bytes;
    }
  }
  return batches;
}
