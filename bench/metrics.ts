/** Requests that the API server answered, by `VERB resource`; subresources are left out. */
export type RequestCounts = ReadonlyMap<string, number>;

/** The kinds that the applications of the benchmark are made of. */
const countedResources = ["serviceaccounts", "services", "configmaps", "deployments", "ingresses"] as const;

/** What is read besides, to judge a workload. */
const readResources = [...countedResources, "pods"] as const;

/** `PUT` is what only controllers send here, and a watch is counted when it ends, whoever began it and when. */
const reads = ["GET", "LIST"] as const;
const writes = ["APPLY", "PATCH", "POST", "DELETE", "DELETECOLLECTION"] as const;

/** Reads `apiserver_request_total` from Prometheus text. */
export function requestCounts(metrics: string): RequestCounts {
  const counts = new Map<string, number>();
  for (const line of metrics.split("\n")) {
    const match = /^apiserver_request_total\{([^}]*)\} (\S+)$/.exec(line);
    if (match === null) continue;
    const labels = new Map(Array.from((match[1] ?? "").matchAll(/(\w+)="([^"]*)"/g), ([, name, value]) => [name, value]));
    if (labels.get("subresource") !== "") continue;
    const key = `${labels.get("verb")} ${labels.get("resource")}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(match[2]));
  }
  return counts;
}

/** How many requests for the counted kinds were answered in between; of pods the reads. */
export function requestsBetween(
  before: RequestCounts,
  after: RequestCounts,
): { readonly reads: number; readonly writes: number } {
  const sum = (verbs: readonly string[], resources: readonly string[]): number =>
    verbs
      .flatMap((verb) => resources.map((resource) => `${verb} ${resource}`))
      .reduce((total, key) => total + (after.get(key) ?? 0) - (before.get(key) ?? 0), 0);
  return { reads: sum(reads, readResources), writes: sum(writes, countedResources) };
}
