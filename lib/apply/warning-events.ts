import type { ClusterReader } from "../cluster/cluster.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";

const mostEvents = 5;

export interface WarningsRequest {
  readonly reader: ClusterReader;
  readonly object: Manifest;
  /** The pod of it that fails, if one does. */
  readonly pod: Manifest | undefined;
}

/** The last five Warnings about an object, its newest ReplicaSet and its failing pod, oldest first: `3 x FailedMount of Pod web-1: ...`. */
export async function warningsAbout(
  { reader, object, pod }: WarningsRequest,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const subjects = [
    { kind: object.kind, name: object.metadata.name },
    ...replicaSetOf(object, pod),
    ...(pod === undefined || pod === object ? [] : [{ kind: "Pod", name: pod.metadata.name }]),
  ];
  const lists = await Promise.all(
    subjects.map(({ kind, name }) =>
      reader.list(
        {
          type: { group: "", version: "v1", kind: "Event" },
          // Events about objects that are in no namespace are in this one.
          namespace: object.metadata.namespace ?? "default",
          labelSelector: "",
          fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name},type=Warning`,
        },
        options,
      ),
    ),
  );
  const own = lists.flat().filter((event) => isAbout(event, [object, pod]));
  const inOrder = own.toSorted((a, b) => (lastSeen(a) < lastSeen(b) ? -1 : 1));
  return folded(inOrder).slice(-mostEvents);
}

/** The same reason for the same object is one line, with the newest message: refused pods differ by their name alone. */
function folded(events: readonly Manifest[]): readonly string[] {
  const lines = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const event of events) {
    const key = `${textOf(event["reason"])} of ${subjectOf(event)}`;
    const count = (counts.get(key) ?? 0) + timesOf(event);
    counts.set(key, count);
    lines.delete(key);
    lines.set(key, `${count > 1 ? `${count} x ` : ""}${key}: ${textOf(event["message"])}`);
  }
  return [...lines.values()];
}

/** The ReplicaSet that makes a Deployment's pods: a quota or a webhook that refuses them is told of it alone. */
function replicaSetOf(object: Manifest, pod: Manifest | undefined): readonly { readonly kind: string; readonly name: string }[] {
  if (object.kind !== "Deployment") return [];
  const owner = pod?.metadata.ownerReferences?.find((reference) => reference["kind"] === "ReplicaSet");
  const named = textOf(owner?.["name"]) || newReplicaSet(object);
  return named === "" ? [] : [{ kind: "ReplicaSet", name: named }];
}

/** As a Deployment names it in what it says of its progress: `Created new replica set "web-5d4f8c7b9"`. */
function newReplicaSet(object: Manifest): string {
  const status = object["status"];
  const conditions = isJsonObject(status) && Array.isArray(status["conditions"]) ? status["conditions"].filter(isJsonObject) : [];
  const progress = conditions.find((condition: JsonObject) => condition["type"] === "Progressing");
  return /"([^"]+)"/.exec(textOf(progress?.["message"]))?.[1] ?? "";
}

/** Events outlive their object: those of one that had the name before say nothing of this one. */
function isAbout(event: Manifest, objects: readonly (Manifest | undefined)[]): boolean {
  const involved = isJsonObject(event["involvedObject"]) ? event["involvedObject"] : {};
  const named = objects.find((object) => object?.kind === involved["kind"] && object?.metadata.name === involved["name"]);
  return named === undefined || involved["uid"] === undefined || involved["uid"] === named.metadata.uid;
}

function lastSeen(event: Manifest): string {
  const series = isJsonObject(event["series"]) ? textOf(event["series"]["lastObservedTime"]) : "";
  const times = [series, textOf(event["lastTimestamp"]), textOf(event["eventTime"]), event.metadata.creationTimestamp ?? ""];
  return times.find((time) => time !== "") ?? "";
}

function timesOf(event: Manifest): number {
  const series = isJsonObject(event["series"]) ? event["series"]["count"] : undefined;
  const count = Number(series ?? event["count"] ?? 1);
  return Number.isFinite(count) ? count : 1;
}

function subjectOf(event: Manifest): string {
  const involved = isJsonObject(event["involvedObject"]) ? event["involvedObject"] : {};
  return `${textOf(involved["kind"])} ${textOf(involved["name"])}`;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
