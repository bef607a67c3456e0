import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { aName } from "../apply/open.ts";
import { callApi } from "../control-plane/api.ts";
import { until } from "../control-plane/until.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { aConfigMap } from "../support/objects.ts";
import { anEngineApplication, desire } from "./desire.ts";
import { aClock } from "./execution.ts";
import { type Api, openApi, openInstallation } from "./installation.ts";

const finalizer = "shop.example/hold";

describe("a hook that its delete policy deletes", () => {
  let api: Api;
  let namespace = "";

  before(async () => {
    api = await openApi();
    namespace = await testNamespace("tidied");
  });

  function aHook(name: string, finalizers: readonly string[]): Manifest {
    const { metadata, ...rest } = aConfigMap(namespace, name);
    const annotations = { "argocd.argoproj.io/hook": "PostSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded" };
    return { ...rest, metadata: { ...metadata, annotations, finalizers } };
  }

  async function open() {
    const name = aName("tidied");
    const installation = await openInstallation({ api, clock: aClock(), sharesDiscovery: true });
    const { stores } = installation;
    const definition = anEngineApplication(name, namespace);
    const own = aConfigMap(namespace, `${name}-own`);
    let runs = 0;
    return {
      hook: (finalizers: readonly string[]) => aHook(`${name}-hook`, finalizers),
      own,
      /** Syncs these objects; returns phase and notes. */
      sync: async (objects: readonly Manifest[]) => {
        runs += 1;
        await installation.sync(await desire(stores, definition, objects), `${name}-${runs}`);
        const lastSync = (await stores.applications.get(name))?.lastSync;
        return [lastSync?.phase, lastSync?.notes];
      },
      /** Names of the inventory with their marks. */
      owned: async () => {
        const entries = (await stores.inventories.load(name))?.entries ?? [];
        return entries
          .map(({ ref, leaving }) => `${ref.name.slice(name.length + 1)}${leaving === true ? " leaving" : ""}`)
          .sort();
      },
    };
  }

  test("leaves the inventory with the sync that deleted it", async () => {
    const { hook, own, sync, owned } = await open();
    assert.deepEqual(await sync([own, hook([])]), ["Succeeded", []]);
    assert.deepEqual([await api.outside.get(refOf(hook([]))), await owned()], [undefined, ["own"]]);
  });

  test("stays in it as leaving while a finalizer holds it, holds up no sync, and goes with the first sync after its end", async () => {
    const { hook, own, sync, owned } = await open();
    const held = hook([finalizer]);
    assert.deepEqual(await sync([own, held]), ["Succeeded", []]);
    assert.ok((await api.outside.get(refOf(held)))?.metadata.deletionTimestamp);
    assert.deepEqual(await owned(), ["hook leaving", "own"]);

    const said = `ConfigMap ${namespace}/${held.metadata.name} is still being deleted (finalizers: ${finalizer})`;
    assert.deepEqual(await sync([own]), ["Succeeded", [said]]);
    assert.deepEqual(await owned(), ["hook leaving", "own"]);

    await letGo(held.metadata.name);
    await until(async () => (await api.outside.get(refOf(held))) === undefined, { what: "the hook to be gone" });
    assert.deepEqual(await sync([own]), ["Succeeded", []]);
    assert.deepEqual(await owned(), ["own"]);
  });

  async function letGo(name: string): Promise<void> {
    const controlPlane = await sharedControlPlane();
    await callApi({ ...controlPlane, token: controlPlane.tokens.admin }, `/api/v1/namespaces/${namespace}/configmaps/${name}`, {
      method: "PATCH",
      contentType: "application/merge-patch+json",
      body: { metadata: { finalizers: null } },
    });
  }
});
