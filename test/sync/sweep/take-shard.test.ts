import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { DriftlessError } from "../../../lib/errors.ts";
import { openCapabilities } from "../../../lib/sync/plan/capabilities.ts";
import { createTakeShard, type TakeShardDeps } from "../../../lib/sync/sweep/take-shard.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";
import { silentMetrics } from "../../../lib/telemetry/metrics.ts";
import { aName } from "../../apply/open.ts";
import { type ConfigMaps, configMapsIn } from "../../engine/config-maps.ts";
import { type Api, openApi } from "../../engine/installation.ts";
import { clearLeftovers, testNamespace } from "../../support/cluster.ts";
import { openSweeping, type Sweeping } from "./sweeping.ts";

describe("a cluster that was handed on", () => {
  let api: Api;
  let maps: ConfigMaps;
  before(async () => {
    api = await openApi();
    await clearLeftovers();
    maps = configMapsIn(await testNamespace("taken"), api);
  });

  const takeShardOf = ({ deps }: Sweeping, more: Partial<TakeShardDeps> = {}) =>
    createTakeShard({ ...(deps as TakeShardDeps), metrics: silentMetrics, ...more });
  const plansOf = ({ installation: { stores } }: Sweeping) => openCapabilities({ stores, log: silentLog }, {});

  test("is swept, and what it can do is kept for plans that do not reach it", async () => {
    const name = aName("taken");
    const sweeping = await openSweeping(api);
    await sweeping.deliver(name, maps.of(name, { to: 2, version: 1 }), { cluster: "eu" });
    await assert.rejects(
      () => plansOf(sweeping)("eu"),
      (error) =>
        error instanceof DriftlessError &&
        error.retryable &&
        /cluster eu can do is not known yet, and plans do not reach it: the next sweep/.test(error.message),
    );
    const report = await takeShardOf(sweeping)({ sweep: "sweep-1", cluster: "eu" });
    assert.deepEqual([report?.id, report?.applications, report?.errors], ["sweep-1", 1, []]);
    const known = await plansOf(sweeping)("eu");
    assert.match(known.kubeVersion, /^v1\.\d+/);
    assert.ok(known.apiVersions.includes("apps/v1/Deployment"));
  });

  test("is written down only when it can do something else, and while it is away stays as it was", async () => {
    const sweeping = await openSweeping(api);
    const { stores } = sweeping.installation;
    const saved: string[] = [];
    const capabilities: typeof stores.capabilities = {
      ...stores.capabilities,
      save: (cluster, now, options) => {
        saved.push(cluster);
        return stores.capabilities.save(cluster, now, options);
      },
    };
    const deps = { stores: { ...stores, capabilities } };
    for (const sweep of ["sweep-1", "sweep-2"]) await takeShardOf(sweeping, deps)({ sweep, cluster: "eu" });
    assert.deepEqual(saved, ["eu"]);
    const away = () => Promise.reject(new DriftlessError("cluster", "nobody answers", { retryable: true }));
    const report = await takeShardOf(sweeping, { ...deps, clusters: { reader: away, writer: away } })({
      sweep: "sweep-3",
      cluster: "eu",
    });
    assert.deepEqual(report?.errors, ["nobody answers"]);
    assert.match((await plansOf(sweeping)("eu")).kubeVersion, /^v1\.\d+/);
    assert.deepEqual(saved, ["eu"]);
  });

  test("with nothing left but what prevents, has that taken out", async () => {
    const sweeping = await openSweeping(api);
    const settled: number[] = [];
    const prevention: NonNullable<TakeShardDeps["prevention"]> = {
      look: ({ states }) => ({
        along: (visitorOf) => visitorOf,
        settle: () => {
          settled.push(states.length);
          return Promise.resolve({ errors: [] });
        },
      }),
      leaveOthers: () => Promise.resolve(),
    };
    await takeShardOf(sweeping, { prevention })({ sweep: "sweep-1", cluster: "left" });
    assert.deepEqual(settled, [0]);
  });
});
