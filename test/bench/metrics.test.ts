import assert from "node:assert/strict";
import { test } from "node:test";
import { requestCounts, requestsBetween } from "../../bench/metrics.ts";

const line = (verb: string, resource: string, count: number, more = 'subresource=""'): string =>
  `apiserver_request_total{code="200",component="apiserver",dry_run="",group="apps",resource="${resource}",scope="cluster",${more},verb="${verb}",version="v1"} ${count}`;

test("requests are counted by verb and resource, over all codes and scopes", () => {
  const counts = requestCounts(
    `# TYPE apiserver_request_total counter\n${line("LIST", "deployments", 3)}\n${line("LIST", "deployments", 1.2e3)}\nother_total{verb="LIST"} 9\n`,
  );
  assert.deepEqual([...counts], [["LIST deployments", 1203]]);
});

test("what was answered in between is told as reads and writes", () => {
  const before = requestCounts([line("LIST", "services", 5), line("APPLY", "deployments", 2)].join("\n"));
  const after = requestCounts(
    [
      line("LIST", "services", 6),
      line("APPLY", "deployments", 4),
      line("DELETE", "ingresses", 1),
      line("GET", "serviceaccounts", 2),
    ].join("\n"),
  );
  assert.deepEqual(requestsBetween(before, after), { reads: 3, writes: 3 });
});

test("pods are counted where they are read", () => {
  const after = requestCounts([line("LIST", "pods", 5), line("GET", "pods", 1), line("DELETE", "pods", 7)].join("\n"));
  assert.deepEqual(requestsBetween(new Map(), after), { reads: 6, writes: 0 });
});

test("subresources, watches, updates and other kinds are not ours", () => {
  const after = requestCounts(
    [
      line("GET", "deployments", 7, 'subresource="status"'),
      line("WATCH", "deployments", 7),
      line("PUT", "deployments", 7),
      line("LIST", "replicasets", 7),
    ].join("\n"),
  );
  assert.deepEqual(requestsBetween(new Map(), after), { reads: 0, writes: 0 });
});
