import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as fc from "fast-check";
import { applicationLabel } from "../../lib/model/resource.ts";
import { aName } from "../apply/open.ts";
import { callApi } from "../control-plane/api.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { aHistory, applicationKeys, applicationName, type Names } from "./history.ts";
import { type Api, openApi } from "./installation.ts";
import { play } from "./play.ts";

/** `DRIFTLESS_HISTORIES` says how many are tried. */
const count = Number(process.env["DRIFTLESS_HISTORIES"] ?? "300");
const atOnce = 8;

describe("G1: random histories", () => {
  let api: Api;
  let namespace = "";

  before(async () => {
    api = await openApi();
    namespace = await testNamespace("histories");
  });

  test("no declared object is ever deleted, and what is undeclared in the end is gone or reported", async (t) => {
    const { seed = 1 } = fc.readConfigureGlobal();
    const histories = fc.sample(aHistory, { numRuns: count, seed }).entries();
    let deletes = 0;
    let runs = 0;
    const failures: string[] = [];
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const [number, history] of histories) {
          const names = { prefix: aName("h"), namespace };
          try {
            const played = await play(history, { api, names });
            deletes += played.deletes;
            runs += played.runs;
          } catch (error) {
            failures.push(`history ${number} of seed ${seed}: ${String(error)}\n${JSON.stringify(history)}`);
          }
          await clear(names);
          if (failures.length >= 5) break;
        }
      }),
    );
    assert.deepEqual(failures, []);
    t.diagnostic(`${count} histories, ${runs} runs, ${deletes} deletes`);
    assert.ok(deletes > count / 2, `${deletes} deletes`);
  });

  /** Lists of the next histories are short again. */
  async function clear(names: Names): Promise<void> {
    const controlPlane = await sharedControlPlane();
    const applications = applicationKeys.map((key) => applicationName(names, key)).join(",");
    const path = `/api/v1/namespaces/${names.namespace}/configmaps?labelSelector=${encodeURIComponent(`${applicationLabel} in (${applications})`)}`;
    await callApi({ ...controlPlane, token: controlPlane.tokens.admin }, path, { method: "DELETE" });
  }
});
