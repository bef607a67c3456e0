import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRequest } from "../../lib/cluster/exchange.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aPod } from "../support/objects.ts";
import { openCluster } from "./open.ts";

const asked = { name: "p", container: "web", previous: true, tailLines: 10 };

test("the end of a container's log is asked for by run, lines and size", async (t) => {
  const requests: HttpRequest[] = [];
  const cluster = await openCluster(t, {
    fault: (request) => {
      if (!request.path.includes("/log?")) return undefined;
      requests.push(request);
      return { status: 200, contentType: "text/plain", body: "one\ntwo\n" };
    },
  });
  assert.equal(await cluster.podLog({ ...asked, namespace: "shop" }), "one\ntwo\n");
  assert.deepEqual(
    requests.map(({ method, path }) => `${method} ${path}`),
    ["GET /api/v1/namespaces/shop/pods/p/log?container=web&previous=true&tailLines=10&limitBytes=65536"],
  );
});

test("there is no log of a pod that is not there, of one on a node that serves none, and without the right to read it", async (t) => {
  const namespace = await testNamespace("log");
  const cluster = await openCluster(t);
  assert.equal(await cluster.podLog({ ...asked, namespace }), undefined);
  await cluster.apply(aPod(namespace, "p"), { force: true });
  const ref = { group: "", version: "v1", kind: "Pod", namespace, name: "p" };
  await until(async () => (await cluster.get(ref))?.["status"] !== undefined, { what: "a status of the pod" });
  assert.equal(await cluster.podLog({ ...asked, namespace, previous: false }), undefined);
  const limited = await openCluster(t, { user: "limited" });
  assert.equal(await limited.podLog({ ...asked, namespace }), undefined);
});
