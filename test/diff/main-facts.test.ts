import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mainFacts } from "../../lib/diff/main-facts.ts";
import type { JsonObject } from "../../lib/model/json.ts";

const factsOf = (apiVersion: string, kind: string, fields: JsonObject) =>
  mainFacts({ apiVersion, kind, metadata: { name: "web" }, ...fields });
const pods = { spec: { containers: [{ image: "web:1" }, { image: "side:1" }, { image: "web:1" }] } };

describe("mainFacts", () => {
  const cases: readonly (readonly [string, string, JsonObject, string])[] = [
    ["apps/v1", "Deployment", { spec: { replicas: 2, template: pods } }, "web:1, side:1, 2 replicas"],
    ["v1", "Pod", pods, "web:1, side:1"],
    [
      "batch/v1",
      "CronJob",
      { spec: { schedule: "0 3 * * *", jobTemplate: { spec: { template: pods } } } },
      "web:1, side:1, 0 3 * * *",
    ],
    ["v1", "Service", { spec: { type: "LoadBalancer" } }, "LoadBalancer"],
    [
      "v1",
      "PersistentVolumeClaim",
      { spec: { storageClassName: "gp3", resources: { requests: { storage: "1Gi" } } } },
      "gp3, 1Gi",
    ],
    ["networking.k8s.io/v1", "Ingress", { spec: { rules: [{ host: "shop.example" }, {}] } }, "shop.example"],
    ["v1", "ConfigMap", { data: { a: "1" }, binaryData: { b: "Mg==" } }, "2 keys"],
    ["v1", "Secret", { data: { password: "aHVudGVyMg==" } }, "1 key"],
    ["v1", "ServiceAccount", {}, ""],
    ["shop.example/v1", "Odd", { spec: "text", data: ["CANARY"] }, ""],
  ];
  for (const [apiVersion, kind, fields, facts] of cases) {
    it(`of a ${kind} are ${facts || "none"}`, () => assert.equal(factsOf(apiVersion, kind, fields), facts));
  }
});
