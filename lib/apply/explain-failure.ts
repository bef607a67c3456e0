import type { ClusterReader } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError } from "../errors.ts";
import {
  type Assessor,
  assessHealth,
  type FailingContainer,
  failingContainer,
  podFailure,
  podSelectorOf,
} from "../health/health.ts";
import type { CallOptions } from "../model/call.ts";
import type { Health } from "../model/health.ts";
import { displayRef, gvkOf, type Manifest, type ResourceRef, refOf } from "../model/resource.ts";
import { redact } from "../telemetry/redact.ts";
import { warningsAbout } from "./warning-events.ts";

export interface FailureRequest {
  readonly reader: ClusterReader;
  readonly refs: readonly ResourceRef[];
  /** Default the built-in rules. */
  readonly assess?: Assessor;
}

/** Of so many objects the health is asked, and of so many that are not well the reason. */
const mostLooks = 100;
const mostExplained = 3;
const logLines = 10;
/** Characters of one line, and lines of all that is told. */
const maxLine = 300;
const maxLines = 40;

/**
 * What the cluster knows of the objects that are not healthy, a line each, without credentials: their reason, the last Warning
 * events, and the end of a failing container's log. What cannot be read is left out. Costs some requests: for an end, not for each look.
 */
export async function explainFailure(
  { reader, refs, assess = assessHealth }: FailureRequest,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const looks = await mapConcurrently(refs.filter(assess.hasHealth).slice(0, mostLooks), {
    limit: 8,
    work: (ref) => lookAt(ref, { reader, assess }, options),
  });
  const unwell = looks.filter((look) => look !== undefined).sort((a, b) => rank(a.health) - rank(b.health));
  const told = await mapConcurrently(unwell.slice(0, mostExplained), {
    limit: 3,
    work: (look) => explain(look, reader, options),
  });
  return told.flat().slice(0, maxLines).map(oneLine);
}

interface Look {
  readonly object: Manifest;
  readonly health: Health;
  /** Of a workload, its pods; of a pod, itself. */
  readonly pods: readonly Manifest[];
}

async function lookAt(
  ref: ResourceRef,
  { reader, assess }: { readonly reader: ClusterReader; readonly assess: Assessor },
  options: CallOptions,
): Promise<Look | undefined> {
  const object = await ifReadable(reader.get(ref, options));
  if (object === undefined) return undefined;
  const alone = assess(object);
  if (alone.status === "Healthy" || alone.status === "Suspended") return undefined;
  const pods = await podsOf(object, reader, options);
  return { object, pods, health: assess(object, { pods }) };
}

async function podsOf(object: Manifest, reader: ClusterReader, options: CallOptions): Promise<readonly Manifest[]> {
  const { group, kind } = gvkOf(object);
  if (group === "" && kind === "Pod") return [object];
  const labelSelector = podSelectorOf(object);
  if (labelSelector === undefined) return [];
  const type = { group: "", version: "v1", kind: "Pod" };
  return (await ifReadable(reader.list({ type, namespace: object.metadata.namespace ?? "", labelSelector }, options))) ?? [];
}

async function explain({ object, health, pods }: Look, reader: ClusterReader, options: CallOptions): Promise<readonly string[]> {
  const pod =
    youngest(pods.filter((each) => podFailure(each) !== undefined)) ?? youngest(pods.filter((each) => failingContainer(each)));
  const container = pod === undefined ? undefined : failingContainer(pod);
  const [events, log] = await Promise.all([
    ifReadable(warningsAbout({ object, pod, reader }, options)),
    pod === undefined || container === undefined ? undefined : ifReadable(logOf(pod, container, reader, options)),
  ]);
  return [
    `${displayRef(refOf(object))}: ${health.message || health.status}`,
    ...(events ?? []),
    ...(pod === undefined || container === undefined || log === undefined || log.length === 0
      ? []
      : [
          `last lines of container ${container.name} of pod ${pod.metadata.name}${container.restarted ? ", before it was started again" : ""}:`,
          ...log,
        ]),
  ];
}

async function logOf(
  { metadata: { name, namespace = "" } }: Manifest,
  container: FailingContainer,
  reader: ClusterReader,
  options: CallOptions,
): Promise<readonly string[]> {
  const request = { namespace, name, container: container.name, previous: container.restarted, tailLines: logLines };
  const text = (await reader.podLog(request, options)) ?? "";
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return lines.slice(-logLines).map((line) => `  ${line}`);
}

const worstFirst: readonly Health["status"][] = ["Degraded", "Missing", "Progressing", "Unknown"];

function rank({ status }: Health): number {
  return worstFirst.indexOf(status);
}

function youngest(pods: readonly Manifest[]): Manifest | undefined {
  return pods.toSorted((a, b) => ((a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? 1 : -1))[0];
}

/** Why it failed is told as far as it can be: a right that is missing must not hide the failure itself. */
async function ifReadable<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isDriftlessError(error, "cluster", "apply")) return undefined;
    throw error;
  }
}

/** Whatever a program wrote: no control characters, no credential, not longer than a line. */
function oneLine(text: string): string {
  const clean = redact(text.replace(/[\p{Cc}\u2028\u2029]+/gu, (characters) => (characters === "\t" ? " " : "")));
  return clean.length <= maxLine ? clean : `${clean.slice(0, maxLine - 1)}…`;
}
