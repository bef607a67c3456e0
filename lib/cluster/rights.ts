import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, stringifyJson } from "../model/json.ts";
import type { Clock } from "../telemetry/clock.ts";
import { abortable } from "./abortable.ts";
import type { Calls } from "./calls.ts";
import type { Access, AccessRequest, ResourceName } from "./cluster.ts";
import { refusedError } from "./refused.ts";
import { parseAnswer } from "./wire.ts";

/** How long an answer about rights is believed. */
const keptMs = 5 * 60 * 1000;

/** What an API server has told one identity of its rights; to be shared by readers and writers of that identity alone. */
export interface Rights {
  /**
   * What it told in the last 5 minutes, or is about to tell. A refusal is not kept: whoever has just granted the right is not
   * made to wait.
   */
  allowed(question: string, read: () => Promise<Access>): Promise<Access>;
  /** True when lists of the kind over all namespaces were refused in the last 5 minutes. */
  refusesList(type: Pick<ResourceName, "group" | "resource">): boolean;
  rememberRefusedList(type: Pick<ResourceName, "group" | "resource">): void;
}

export function createRights({ clock }: { readonly clock: Clock }): Rights {
  const answers = new Map<string, { readonly until: number; readonly access: Promise<Access> }>();
  const refusedLists = new Map<string, number>();
  const now = () => clock.now().getTime();
  const keyOf = ({ group, resource }: Pick<ResourceName, "group" | "resource">) => `${resource}.${group}`;
  return {
    allowed(question, read) {
      const known = answers.get(question);
      if (known !== undefined && known.until > now()) return known.access;
      const access = read();
      answers.set(question, { until: now() + keptMs, access });
      const forget = () => {
        if (answers.get(question)?.access === access) answers.delete(question);
      };
      access.then(({ allowed }) => (allowed ? undefined : forget()), forget);
      return access;
    },
    refusesList: (type) => (refusedLists.get(keyOf(type)) ?? 0) > now(),
    rememberRefusedList: (type) => void refusedLists.set(keyOf(type), now() + keptMs),
  };
}

export interface ReviewOptions extends CallOptions {
  readonly rights: Rights;
}

/** Undefined for a kind that the server does not serve. */
export async function reviewAccess(
  calls: Calls,
  request: AccessRequest,
  { rights, signal }: ReviewOptions,
): Promise<Access | undefined> {
  const { verb, group, namespace, name = "" } = request;
  const call = signal === undefined ? {} : { signal };
  const resource = await resourceOf(calls, request, call);
  if (resource === undefined) return undefined;
  const attributes = { verb, group, resource, namespace, ...(name === "" ? {} : { name }) };
  const question = JSON.stringify(attributes);
  // Shared by all who ask the same, so it is not bound to the signal of the first.
  return abortable(
    rights.allowed(question, () => ask(calls, attributes)),
    signal,
  );
}

async function resourceOf(calls: Calls, request: AccessRequest, options: CallOptions): Promise<string | undefined> {
  if ("resource" in request) return request.resource;
  const type = await calls.find({ group: request.group, version: "", kind: request.kind }, { ...options, anyVersion: true });
  return type?.resource;
}

const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

async function ask(calls: Calls, resourceAttributes: Readonly<Record<string, string>>): Promise<Access> {
  const body = stringifyJson({
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes },
  });
  const answer = await calls.send({ method: "POST", path, contentType: "application/json", body }, {});
  if (answer.status < 200 || answer.status > 299) {
    throw refusedError({ verb: "get", subject: "what Driftless may do there", host: calls.host, answer });
  }
  const { status } = parseAnswer(answer.body);
  const { allowed, reason, evaluationError } = isJsonObject(status) ? status : {};
  if (typeof allowed !== "boolean") {
    throw new DriftlessError("cluster", `The API server at ${calls.host} did not say what Driftless may do there`);
  }
  const words = [reason, evaluationError].map((text) => (typeof text === "string" ? text : "")).filter((text) => text !== "");
  return { allowed, reason: words.join("; ") };
}
