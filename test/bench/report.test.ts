import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaseFigures } from "../../bench/figures.ts";
import { humanTable, jsonLine, type Machine, performancePage } from "../../bench/report.ts";

const machine: Machine = {
  processor: "A Processor",
  cores: 2,
  memoryGiB: 8,
  platform: "linux",
  node: "24.1.0",
  kubernetes: "1.35.4",
  load: [0.5, 2],
  date: "2026-01-31",
};

const cases: readonly CaseFigures[] = [
  {
    title: "One changed",
    figures: [
      { name: "one-changed-applied", title: "applied", value: 0.1234, unit: "s", goal: 1 },
      { name: "one-changed-cpu", title: "CPU", value: 12.345, unit: "CPU s" },
    ],
  },
  { title: "All changed", figures: [{ name: "all-changed-ratio", title: "ratio", value: 2.5, unit: "x", goal: 2 }] },
];

test("a JSON line has a goal, and whether it holds, only where there is a goal", () => {
  assert.deepEqual(
    cases.flatMap(({ figures }) => figures.map(jsonLine)),
    [
      '{"name":"one-changed-applied","value":0.123,"unit":"s","goal":1,"holds":true}',
      '{"name":"one-changed-cpu","value":12.3,"unit":"CPU s"}',
      '{"name":"all-changed-ratio","value":2.5,"unit":"x","goal":2,"holds":false}',
    ],
  );
});

test("the table tells every figure under its case, and which goals are missed", () => {
  assert.equal(
    humanTable(cases, machine),
    `figure       value  unit   goal
One changed
  applied    0.123  s      at most 1  met
  CPU         12.3  CPU s
All changed
  ratio        2.5  x      at most 2  missed

Machine: A Processor, 2 cores, 8 GiB, linux
Node 24.1.0, Kubernetes 1.35.4
Load average: 0.5 before, 2.0 after
Date: 2026-01-31
1 of 2 goals are met; missed: all-changed-ratio.
`,
  );
});

test("the page names its command, the machine, and each figure with its goal", () => {
  const page = performancePage(cases, { machine, applications: 100, command: "npm run bench -- --write docs/performance.md" });
  assert.match(page, /^# Performance\n\nWritten by `npm run bench -- --write docs\/performance\.md`/);
  assert.match(page, /holds 100 applications/);
  assert.match(page, /^- Machine: A Processor, 2 cores, 8 GiB, linux$/m);
  assert.match(page, /^## One changed$/m);
  assert.match(page, /^\| applied \| 0\.123 s \| at most 1 s: met \|$/m);
  assert.match(page, /^\| CPU \| 12\.3 CPU s \| {2}\|$/m);
  assert.match(page, /^\| ratio \| 2\.5 x \| at most 2 x: missed \|$/m);
  assert.ok(page.endsWith("1 of 2 goals are met; missed: all-changed-ratio.\n"));
});
