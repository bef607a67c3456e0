import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jsonMetrics, type Measured, metricUnits } from "../../lib/telemetry/metrics.ts";

interface Line {
  readonly [name: string]: unknown;
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
}

function linesOf(...measured: readonly Measured[]): readonly Line[] {
  const lines: string[] = [];
  const clock = { now: () => new Date("2025-03-01T12:00:00.000Z") };
  const metrics = jsonMetrics({ clock, write: (line) => lines.push(line), fields: { function: "sweep" } });
  for (const each of measured) metrics.emit(each);
  assert.ok(lines.every((line) => line.indexOf("\n") === line.length - 1));
  return lines.map((line) => JSON.parse(line) as Line);
}

describe("metrics", () => {
  test("what is measured of a cluster is one line of the log, for the cluster and for the installation", () => {
    assert.deepEqual(linesOf({ cluster: "eu", values: { DriftOpen: 2, SweepDuration: 210 } }), [
      {
        time: "2025-03-01T12:00:00.000Z",
        level: "info",
        event: "metrics",
        function: "sweep",
        cluster: "eu",
        DriftOpen: 2,
        SweepDuration: 210,
        _aws: {
          Timestamp: 1_740_830_400_000,
          CloudWatchMetrics: [
            {
              Namespace: "Driftless",
              Dimensions: [[], ["cluster"]],
              Metrics: [
                { Name: "DriftOpen", Unit: "Count" },
                { Name: "SweepDuration", Unit: "Milliseconds" },
              ],
            },
          ],
        },
      },
    ]);
  });

  test("an application counts for itself, since its cluster counts it already; what has no cluster, for the installation", () => {
    const [ofApplication, ofAll] = linesOf(
      { cluster: "eu", application: "shop", values: { DriftOpen: 1 } },
      { values: { SweepAge: 0 } },
    );
    assert.deepEqual(ofApplication?.["_aws"].CloudWatchMetrics[0]?.Dimensions, [["cluster", "application"]]);
    assert.deepEqual([ofApplication?.["cluster"], ofApplication?.["application"]], ["eu", "shop"]);
    assert.deepEqual(ofAll?.["_aws"].CloudWatchMetrics[0]?.Dimensions, [[]]);
  });

  test("zero is a value, and nothing measured is no line", () => {
    assert.equal(linesOf({ cluster: "eu", values: { DriftFights: 0 } })[0]?.["DriftFights"], 0);
    assert.deepEqual(linesOf({ cluster: "eu", values: {} }), []);
  });

  test("every metric has its target in the line, with its unit", () => {
    const names = Object.keys(metricUnits) as (keyof typeof metricUnits)[];
    const [line] = linesOf({ cluster: "eu", values: Object.fromEntries(names.map((name, at) => [name, at])) });
    const told = line?.["_aws"].CloudWatchMetrics[0]?.Metrics ?? [];
    assert.deepEqual(
      told.map(({ Name, Unit }) => [Name, Unit]),
      Object.entries(metricUnits),
    );
    assert.ok(told.every(({ Name }) => typeof line?.[Name] === "number"));
  });
});
