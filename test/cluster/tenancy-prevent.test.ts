import assert from "node:assert/strict";
import { test } from "node:test";
import { aName } from "../apply/open.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";
import { callsOf } from "./impersonate.ts";
import { ada, merge, openPrevention, pathOf, stateOf, waitInForce } from "./preventing.ts";
import { aProject } from "./tenancy.ts";

test("what is prevented stays open to the users of projects that impersonate there, and to no other of that name", async (t) => {
  const { apply, sweep, stores, namespace } = await openPrevention(t);
  const [here, elsewhere] = [aName("here"), aName("elsewhere")];
  const stored = await stores.configuration.load();
  assert.ok(stored);
  const projects = [aProject(here, [namespace]), aProject(elsewhere, [], { destinations: [{ cluster: "us", namespace: "*" }] })];
  await stores.configuration.save({ ...stored, configuration: { ...stored.configuration, projects } });
  const name = aName("prevented");
  await apply(name, aConfigMap(namespace, "settings"), aConfigMap(namespace, "canary"));
  await apply(name, aDeployment(namespace, "scaled-canary", { replicas: 0 }));
  assert.deepEqual(await sweep(stateOf(name, "prevent")), []);
  await waitInForce(namespace);
  const edit = {
    method: "PATCH",
    path: pathOf(namespace, "settings"),
    contentType: merge,
    body: { data: { key: "2" } },
  } as const;
  assert.equal((await ada(edit)).status, 403);
  assert.equal((await callsOf({ user: `driftless:${elsewhere}` })(edit)).status, 403);
  assert.equal((await callsOf({ user: `driftless:${here}-too` })(edit)).status, 403);
  assert.equal((await callsOf({ user: `driftless:${here}` })(edit)).status, 200);
});
