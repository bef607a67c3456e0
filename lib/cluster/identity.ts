import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, type JsonValue, stringifyJson } from "../model/json.ts";
import type { Calls } from "./calls.ts";
import type { ClusterIdentity } from "./cluster.ts";
import { refusedError } from "./refused.ts";
import { parseAnswer } from "./wire.ts";

const body = stringifyJson({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });

/** Asks the API server who we are to it (SelfSubjectReview), which everyone whom it knows may ask. */
export async function readIdentity(calls: Calls, options: CallOptions): Promise<ClusterIdentity> {
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const answer = await calls.send({ method: "POST", path, contentType: "application/json", body }, options);
  if (answer.status < 200 || answer.status > 299) {
    throw refusedError({ verb: "get", subject: "who Driftless is to it", host: calls.host, answer });
  }
  const { status } = parseAnswer(answer.body);
  const user = isJsonObject(status) ? status["userInfo"] : undefined;
  if (!isJsonObject(user) || typeof user["username"] !== "string") {
    throw new DriftlessError("cluster", `The API server at ${calls.host} did not say who Driftless is to it`);
  }
  const extra = isJsonObject(user["extra"]) ? Object.entries(user["extra"]) : [];
  return {
    username: user["username"],
    groups: texts(user["groups"]),
    extra: Object.fromEntries(extra.map(([key, values]) => [key, texts(values)])),
  };
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}
