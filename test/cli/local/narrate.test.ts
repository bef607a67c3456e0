import assert from "node:assert/strict";
import { test } from "node:test";
import { narrate } from "../../../cli/local/narrate.ts";

const lines: readonly (readonly [line: Readonly<Record<string, unknown>>, sentence: string | undefined])[] = [
  [
    { event: "sync.waiting", application: "shop", health: "Progressing", message: "1 of 2 replicas are updated" },
    "sync: shop is Progressing: 1 of 2 replicas are updated",
  ],
  [{ event: "sync.waiting", application: "shop", health: "Progressing", message: "" }, "sync: shop is Progressing"],
  [{ event: "sweep.heal", function: "sweep", applications: ["shop", "web"] }, "sweep: heals shop, web"],
  [{ event: "sweep.heal", function: "audit", applications: ["shop"] }, "audit: heals shop"],
  [
    { event: "sweep.drift", function: "audit", application: "shop", ref: "apps/Deployment/shop/web", field: "spec.replicas" },
    "audit: shop drifted: apps/Deployment/shop/web spec.replicas by someone",
  ],
  [{ event: "source.fetched", level: "debug" }, undefined],
];
for (const [line, sentence] of lines) {
  test(`npm start tells ${String(line["event"])} as: ${sentence ?? "nothing"}`, () => {
    assert.equal(narrate(JSON.stringify(line)), sentence);
  });
}
