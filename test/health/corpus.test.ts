import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { assessHealth } from "../../lib/health/health.ts";
import { readHealthCases } from "../../scripts/health-cases.ts";

const corpora = process.env["DRIFTLESS_CORPORA"];

/** What is reached now; it must not fall. */
const floor = 689;
const generalFloor = 491;

describe("health of other people's objects", { skip: corpora === undefined ? "DRIFTLESS_CORPORA is not set" : false }, () => {
  const cases = corpora === undefined ? [] : readHealthCases(path.join(corpora, "health"));

  it("agrees with Argo CD on every built-in kind, and on all others at least as often as it did", (context) => {
    const agreed = cases.filter(({ live, expected }) => assessHealth(live).status === expected);
    context.diagnostic(`${agreed.length} of ${cases.length} objects get the health that Argo CD gives them`);
    const builtIn = cases.filter(({ kind }) => kind.startsWith("apiextensions.k8s.io/"));
    assert.ok(builtIn.length > 0);
    assert.deepEqual(
      builtIn.filter((each) => !agreed.includes(each)),
      [],
    );
    assert.ok(agreed.length >= floor, `${agreed.length} of ${cases.length} agree, ${floor} did`);
  });

  it("agrees by conditions and words alone at least as often as it did, as for kinds that nobody knows", (context) => {
    const agreed = cases.filter(({ live, expected }) => alone(live) === expected).length;
    context.diagnostic(`by the general rules alone ${agreed} of ${cases.length}`);
    assert.ok(agreed >= generalFloor, `${agreed} of ${cases.length} agree, ${generalFloor} did`);
  });
});

/** As a kind is judged that no table has: under a group that nobody knows. */
function alone(live: Parameters<typeof assessHealth>[0]): string {
  return live.apiVersion.startsWith("apiextensions.k8s.io/")
    ? assessHealth(live).status
    : assessHealth({ ...live, apiVersion: "nobody.example/v1" }).status;
}
