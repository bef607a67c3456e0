import type { CallOptions } from "../../model/call.ts";
import type { DriftQuery } from "../../store/store.ts";
import { type ApiRequest, instantOf, pageOf, wrongRequest } from "./api-request.ts";

/** What has to hold of rows, by the names that a request gives it. */
const facts = ["cluster", "namespace", "kind", "manager"] as const;
const known: readonly string[] = [...facts, "since", "open", "limit", "from"];
/** Of the longest that Kubernetes takes: a kind with its group. */
const longest = 320;

/** Which rows are asked for; throws `config` for what no request may say, so that a slip of the pen does not list all drift. */
export function driftQuery(application: string | undefined, request: ApiRequest, options: CallOptions): DriftQuery {
  const { query } = request;
  const stranger = Object.keys(query).find((name) => query[name] !== undefined && !known.includes(name));
  if (stranger !== undefined) throw wrongRequest(`drift cannot be asked for by ${stranger}; it may be by: ${known.join(", ")}`);
  const wanted = facts.flatMap((name) => {
    const value = query[name];
    return value === undefined ? [] : [[name, factOf(name, value)] as const];
  });
  const { since, open = "false" } = query;
  if (open !== "true" && open !== "false") throw wrongRequest("open must be true or false");
  return {
    ...pageOf(request, options),
    ...(application === undefined ? {} : { application }),
    ...Object.fromEntries(wanted),
    ...(since === undefined ? {} : { since: instantOf("since", since) }),
    open: open === "true",
  };
}

function factOf(name: (typeof facts)[number], value: string): string {
  if (value === "") throw wrongRequest(`${name} is empty: say which, or leave it out`);
  if (value.length > longest) throw wrongRequest(`${name} must have at most ${longest} characters`);
  if (name === "kind" && !/^([a-z0-9.-]*\/)?[a-z][a-z0-9]*$/i.test(value))
    throw wrongRequest(`kind must be one such as Deployment or apps/Deployment, not ${value}`);
  return value;
}
