import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";
import { isBreakGlassAnnotation, isPreventionRefusal } from "../model/prevention.ts";
import { type Identities, isClusterIdentity, isOwnIdentity, isProjectUser } from "./identities.ts";

export type EditVerb = "create" | "update" | "patch" | "delete" | "deletecollection";

/** One write that the API server's audit log tells of: what was written, by whom, and whether it was let through. */
export interface Edit {
  /** The API server's own id of the request: the same in a batch that is delivered again. */
  readonly id: string;
  readonly verb: EditVerb;
  readonly group: string;
  readonly version: string;
  /** Plural, as in URLs: `deployments`. */
  readonly resource: string;
  /** "scale" is an edit of its parent; "" for the object itself. */
  readonly subresource: string;
  readonly namespace: string;
  /** "" for a whole collection. */
  readonly name: string;
  /** Who asked, and who was acted for: `ada`, or `ada (impersonated by ci)`. */
  readonly user: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  /** As managedFields will name it. */
  readonly manager: string;
  /** When the request came in and when it was answered, RFC 3339 with milliseconds. */
  readonly at: string;
  readonly answeredAt: string;
  /** True when it was certainly a server-side apply; only such a patch may state `force`. */
  readonly isApply: boolean;
  readonly breakGlass: boolean;
  /** Why our own admission policy refused it; "" for an edit that was made. */
  readonly refusal: string;
}

/**
 * Why an event is no edit: it `reads` or changes no desired field (status, a dry run, an unfinished request), was `refused`
 * by somebody else than us, or was made by Driftless itself (`own`) or by the cluster's own controllers (`cluster`).
 */
export type NoEdit = "reads" | "refused" | "own" | "cluster" | "malformed";

const verbs: ReadonlySet<string> = new Set<EditVerb>(["create", "update", "patch", "delete", "deletecollection"]);
/** Subresources through which fields of the object itself are set. */
const writing: ReadonlySet<string> = new Set(["", "scale", "ephemeralcontainers", "resize"]);
/** Answers of a policy that says no: Forbidden, and Invalid where it names no reason. */
const policyCodes: ReadonlySet<number> = new Set([403, 422]);

/** Reads one event of audit.k8s.io/v1. */
export function readEdit(event: JsonObject, identities: Identities): Edit | NoEdit {
  const verb = textAt(event, "verb");
  const target = objectAt(event, "objectRef");
  if (textAt(event, "stage") !== "ResponseComplete" || !verbs.has(verb) || target === undefined) return "reads";
  const subresource = textAt(target, "subresource");
  const uri = textAt(event, "requestURI");
  const query = new URLSearchParams(uri.includes("?") ? uri.slice(uri.indexOf("?") + 1) : "");
  if (!writing.has(subresource) || query.has("dryRun")) return "reads";
  const status = objectAt(event, "responseStatus") ?? {};
  const code = typeof status["code"] === "number" ? status["code"] : 0;
  const message = textAt(status, "message");
  const isPrevented = policyCodes.has(code) && isPreventionRefusal(message);
  if (!isPrevented && (code < 200 || code > 299)) return "refused";

  const caller = objectAt(event, "user") ?? {};
  const actedFor = textAt(objectAt(event, "impersonatedUser") ?? {}, "username");
  // Whoever else acts for a project's user is a person or a tool, and told as such.
  if ((actedFor === "" || isProjectUser(actedFor)) && isOwnIdentity(caller, identities)) return "own";
  // The cluster's own controllers act for nobody, so that who acts for one of them is told.
  if (isClusterIdentity(textAt(caller, "username"))) return "cluster";
  const user = actedFor === "" ? textAt(caller, "username") : actedFor;

  const at = timeAt(event, "requestReceivedTimestamp");
  const resource = textAt(target, "resource");
  if (at === undefined || resource === "" || user === "") return "malformed";
  const userAgent = textAt(event, "userAgent");
  return {
    id: textAt(event, "auditID"),
    verb: verb as EditVerb,
    group: textAt(target, "apiGroup"),
    version: textAt(target, "apiVersion"),
    resource,
    subresource,
    // The audit log repeats a namespace's own name as its namespace.
    namespace: resource === "namespaces" && textAt(target, "apiGroup") === "" ? "" : textAt(target, "namespace"),
    name: textAt(target, "name"),
    user: actedFor === "" ? user : `${actedFor} (impersonated by ${textAt(caller, "username")})`,
    sourceIp: textsAt(event, "sourceIPs").at(-1) ?? "",
    userAgent,
    manager: query.get("fieldManager") || (userAgent.split("/")[0] ?? ""),
    at,
    answeredAt: timeAt(event, "stageTimestamp") ?? at,
    isApply: verb === "patch" && query.has("force"),
    breakGlass: Object.keys(objectAt(event, "annotations") ?? {}).some(isBreakGlassAnnotation),
    refusal: isPrevented ? message.slice(0, 1000) : "",
  };
}

function objectAt(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key];
  return isJsonObject(value) ? value : undefined;
}

function textAt(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === "string" ? value : "";
}

function textsAt(object: JsonObject, key: string): readonly string[] {
  const value: JsonValue | undefined = object[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** As rows have times: UTC with milliseconds. */
function timeAt(object: JsonObject, key: string): string | undefined {
  const time = Date.parse(textAt(object, key));
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
