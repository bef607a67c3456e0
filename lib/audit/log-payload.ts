import { isJsonObject, type JsonObject, parseJson } from "../model/json.ts";
import { type Edit, type NoEdit, readEdit } from "./edit.ts";
import type { Identities } from "./identities.ts";

/** What a batch of log events told. */
export interface ReadPayload {
  /** Name of the cluster in its log group, `/aws/eks/NAME/cluster`; "" when the group is another. */
  readonly clusterName: string;
  readonly edits: readonly Edit[];
  /** How many events were left out, by reason; a reason without events is absent. */
  readonly skipped: Readonly<Partial<Record<NoEdit | "control" | "other", number>>>;
}

const nothing: ReadPayload = { clusterName: "", edits: [], skipped: {} };

/**
 * Reads what CloudWatch Logs sends for a subscription, once it is unpacked. The log group of a cluster holds other logs too
 * (`other`), CloudWatch sends messages of its own (`control`), and cuts events above 256 KB (`malformed`).
 */
export function readLogPayload(text: string, identities: Identities): ReadPayload {
  const payload = parseQuietly(text);
  if (!isJsonObject(payload)) return { ...nothing, skipped: { malformed: 1 } };
  if (payload["messageType"] === "CONTROL_MESSAGE") return { ...nothing, skipped: { control: 1 } };
  const { logGroup, logEvents } = payload;
  const clusterName = /^\/aws\/eks\/([^/]+)\/cluster$/.exec(typeof logGroup === "string" ? logGroup : "")?.[1] ?? "";
  const edits: Edit[] = [];
  const skipped: Partial<Record<string, number>> = {};
  for (const logEvent of Array.isArray(logEvents) ? logEvents : []) {
    const read = readMessage(isJsonObject(logEvent) ? logEvent["message"] : undefined, identities);
    if (typeof read === "string") skipped[read] = (skipped[read] ?? 0) + 1;
    else edits.push(read);
  }
  return { clusterName, edits, skipped };
}

/** The events of an EventList (audit.k8s.io/v1), as an API server's audit webhook posts it; none for anything else. */
export function readEventList(text: string): readonly JsonObject[] {
  const list = parseQuietly(text);
  if (!isJsonObject(list) || list["kind"] !== "EventList" || !Array.isArray(list["items"])) return [];
  return list["items"].filter(isJsonObject);
}

function readMessage(message: unknown, identities: Identities): Edit | NoEdit | "other" {
  if (typeof message !== "string") return "malformed";
  if (!message.startsWith("{")) return "other";
  const event = parseQuietly(message);
  if (!isJsonObject(event)) return message.includes('"audit.k8s.io/') ? "malformed" : "other";
  // The items of a list may leave out what the list says of them.
  const isAudit = event["apiVersion"] === "audit.k8s.io/v1" || (event["apiVersion"] === undefined && "auditID" in event);
  return isAudit ? readEdit(event, identities) : "other";
}

function parseQuietly(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
