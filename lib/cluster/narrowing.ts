import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject } from "../model/json.ts";
import { matchesPattern } from "../projects/glob.ts";
import type { Calls } from "./calls.ts";
import { type Answer, classifyRefusal } from "./classify.ts";
import type { ResourceType } from "./cluster.ts";
import { refusedError } from "./refused.ts";
import type { Rights } from "./rights.ts";
import { namespacesOf, type ProjectScope } from "./scope.ts";
import { parseAnswer } from "./wire.ts";

/** Lists of all namespaces, which an identity of a project may be refused, as lists of each that the project has. */
export interface Narrowing {
  /** True when the kind is to be listed so. */
  isNarrow(type: ResourceType): boolean;
  /** From now on, for 5 minutes. */
  narrow(type: ResourceType): void;
  /** Names, each once; throws `cluster` when there are only patterns for them, and namespaces may not be listed. */
  namespaces(calls: Calls, type: ResourceType, options: CallOptions): Promise<readonly string[]>;
}

export function createNarrowing({ scope, rights }: { readonly scope: ProjectScope; readonly rights: Rights }): Narrowing {
  const { names, patterns } = namespacesOf(scope);
  return {
    isNarrow: (type) => rights.refusesList(type),
    narrow: (type) => rights.rememberRefusedList(type),
    async namespaces(calls, type, options) {
      if (patterns.length === 0) return names;
      const known = await listNamespaces(calls, { type, scope, patterns }, options);
      return [...new Set([...names, ...known.filter((name) => patterns.some((pattern) => matchesPattern(pattern, name)))])];
    },
  };
}

interface Wanted {
  readonly type: ResourceType;
  readonly scope: ProjectScope;
  readonly patterns: readonly string[];
}

const metadataAccept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/** Asked each time: a namespace may have been made a moment ago, and what is not listed counts as missing. */
async function listNamespaces(calls: Calls, wanted: Wanted, options: CallOptions): Promise<readonly string[]> {
  const names: string[] = [];
  let token = "";
  do {
    const query = new URLSearchParams({ limit: "1000", ...(token === "" ? {} : { continue: token }) });
    const path = `/api/v1/namespaces?${query.toString()}`;
    const answer = await calls.send({ method: "GET", path, accept: metadataAccept }, options);
    if (answer.status !== 200) throw refusedNamespaces(calls, wanted, answer);
    const page = parseAnswer(answer.body);
    for (const item of Array.isArray(page["items"]) ? page["items"] : []) {
      const name = isJsonObject(item) && isJsonObject(item["metadata"]) ? item["metadata"]["name"] : undefined;
      if (typeof name === "string") names.push(name);
    }
    const next = isJsonObject(page["metadata"]) ? page["metadata"]["continue"] : undefined;
    token = typeof next === "string" ? next : "";
  } while (token !== "");
  return names;
}

function refusedNamespaces(calls: Calls, { type, scope, patterns }: Wanted, answer: Answer): DriftlessError {
  const { project } = scope;
  const advice =
    `project ${project.name} may not list ${resourceText(type)} over all namespaces, and its destinations name namespaces by ` +
    `${patterns.join(", ")}: name each namespace in its destinations, or let its identity list namespaces`;
  return refusedError({ verb: "list", subject: "namespaces", host: calls.host, answer, advice });
}

interface ListRefused {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly answer: Answer;
}

/** Says what to grant, where it is a right that is missing. */
export function refusedList(calls: Calls, { type, namespace, answer }: ListRefused): DriftlessError {
  const subject = namespace === "" ? type.resource : `${type.resource} of namespace ${namespace}`;
  const isForbidden = calls.identity?.ofProject === true && classifyRefusal(answer).kind === "forbidden";
  const advice = isForbidden ? granting(calls, { type, namespace }) : undefined;
  return refusedError({ verb: "list", subject, host: calls.host, answer, advice });
}

function granting({ identity }: Calls, { type, namespace }: Pick<ListRefused, "type" | "namespace">): string {
  const { username, groups } = identity?.impersonate ?? { username: "", groups: [] };
  const whom = username === "" ? "the group of its access entry" : `the group ${groups[0] ?? ""} (or the user ${username})`;
  const right = `the verb list on ${resourceText(type)}`;
  if (namespace === "") return `give ${whom} ${right} by a ClusterRoleBinding`;
  return `give ${whom} ${right} by a RoleBinding in namespace ${namespace}, which has to exist`;
}

function resourceText({ group, resource }: ResourceType): string {
  return group === "" ? resource : `${resource}.${group}`;
}
