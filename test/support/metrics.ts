import type { ControlPlane } from "../control-plane/control-plane.ts";

export interface RequestCount {
  readonly verb: string;
  readonly resource: string;
  readonly count: number;
}

/** Requests that the API server itself counted (`apiserver_request_total`) for some resources, by verb and resource. */
export async function countRequests(controlPlane: ControlPlane, resources: readonly string[]): Promise<readonly RequestCount[]> {
  const counts = new Map<string, number>();
  for (const line of (await controlPlane.metrics()).split("\n")) {
    const match = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line);
    if (match === null) continue;
    const labels = new Map([...(match[1] ?? "").matchAll(/(\w+)="([^"]*)"/g)].map((label) => [label[1], label[2]]));
    const resource = labels.get("resource") ?? "";
    if (!resources.includes(resource) || (labels.get("subresource") ?? "") !== "") continue;
    const dryRun = (labels.get("dry_run") ?? "") === "" ? "" : " (dry run)";
    const key = `${labels.get("verb")}${dryRun} ${resource}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(match[2]));
  }
  return [...counts].map(([key, count]) => {
    const [, verb = "", resource = ""] = /^(.*) (\S+)$/.exec(key) ?? [];
    return { verb, resource, count };
  });
}

/** What was added between two counts; nothing stands for none. */
export function addedRequests(before: readonly RequestCount[], after: readonly RequestCount[]): Readonly<Record<string, number>> {
  const known = new Map(before.map(({ verb, resource, count }) => [`${verb} ${resource}`, count]));
  const added = after.map(
    ({ verb, resource, count }) => [`${verb} ${resource}`, count - (known.get(`${verb} ${resource}`) ?? 0)] as const,
  );
  return Object.fromEntries(added.filter(([, count]) => count > 0));
}
