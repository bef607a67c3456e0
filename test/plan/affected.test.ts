import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application } from "../../lib/model/application.ts";
import type { ApplicationSource, ChartSource, GitSource } from "../../lib/model/application-source.ts";
import { branchesOf, capabilitiesDigest, firstChangedInput, readersOf, sharesSource } from "../../lib/plan/affected.ts";
import { anApplication as anyApplication } from "../contracts/rows.ts";

const aChart: ChartSource = {
  kind: "chart",
  chart: { repository: "oci://registry.example/charts", name: "web", version: "6.5.0", digest: `sha256:${"0".repeat(64)}` },
};

function anApplication(change: Partial<Application> = {}): Application {
  return anyApplication({ sources: [aSource()], cluster: "qa", ...change });
}

function aSource(change: Partial<GitSource> = {}): GitSource {
  return { kind: "git", repository: "https://github.com/acme/shop.git", targetRevision: "main", path: "deploy", ...change };
}

describe("readersOf", () => {
  const pushed = { repository: "https://github.com/acme/shop", branch: "main" };
  const reads = (...sources: readonly ApplicationSource[]): boolean =>
    readersOf([anApplication({ sources })], pushed).length === 1;

  it("finds the applications of a pushed branch, whichever clone URL they use", () => {
    assert.equal(reads(aSource()), true);
    assert.equal(reads(aSource({ repository: "git@github.com:Acme/Shop" })), true);
    assert.equal(reads(aSource({ targetRevision: "next" })), false);
    assert.equal(reads(aSource({ repository: "https://github.com/acme/other" })), false);
  });

  it("finds an application by any of its sources, also by one that only lends value files", () => {
    const values: GitSource = { kind: "git", repository: "https://github.com/acme/shop", targetRevision: "main", ref: "values" };
    assert.equal(reads(aChart, values), true);
    assert.equal(reads(aChart), false);
  });

  it("is one with the branches that applications read, each once", () => {
    const applications = [
      anApplication(),
      anApplication({
        sources: [aChart, aSource({ repository: "git@github.com:Acme/Shop" }), aSource({ targetRevision: "next" })],
      }),
    ];
    assert.deepEqual(
      [...branchesOf(applications)],
      [
        ["github.com/acme/shop#main", { repository: "https://github.com/acme/shop.git", branch: "main" }],
        ["github.com/acme/shop#next", { repository: "https://github.com/acme/shop.git", branch: "next" }],
      ],
    );
  });
});

describe("sharesSource", () => {
  it("tells a renamed application by its folder or its chart, whatever branch or version", () => {
    assert.equal(sharesSource(anApplication(), anApplication({ sources: [aSource({ targetRevision: "next" })] })), true);
    const elsewhere = aSource({ path: "other", targetRevision: "next" });
    assert.equal(sharesSource(anApplication(), anApplication({ sources: [elsewhere] })), false);
    const newer: ApplicationSource = { kind: "chart", chart: { ...aChart.chart, version: "7.0.0" } };
    assert.equal(sharesSource(anApplication({ sources: [aChart] }), anApplication({ sources: [aSource(), newer] })), true);
  });

  it("tells applications that one commit can change, by their branch, however many each reads", () => {
    const beside = anApplication({ sources: [aChart, aSource({ path: "other" })] });
    assert.deepEqual([sharesSource(anApplication(), beside), sharesSource(beside, anApplication())], [true, true]);
    const foreign = aSource({ repository: "https://github.com/acme/other.git" });
    assert.equal(sharesSource(anApplication(), anApplication({ sources: [foreign] })), false);
  });
});

describe("capabilitiesDigest", () => {
  it("differs by version and by kinds", () => {
    const digest = capabilitiesDigest({ kubeVersion: "v1.35.4", apiVersions: ["apps/v1", "v1"] });
    assert.equal(capabilitiesDigest({ kubeVersion: "v1.35.4", apiVersions: ["apps/v1", "v1"] }), digest);
    assert.notEqual(capabilitiesDigest({ kubeVersion: "v1.36.0", apiVersions: ["apps/v1", "v1"] }), digest);
    assert.notEqual(capabilitiesDigest({ kubeVersion: "v1.35.4", apiVersions: ["v1"] }), digest);
  });
});

describe("firstChangedInput", () => {
  const planned = { "base/a.yaml": "aa", "deploy/kustomization.yaml": "bb", "deploy/optional.yaml": "" };

  it("is undefined while every path that was read has the same object", () => {
    const current = new Map([
      ["base/a.yaml", "aa"],
      ["deploy/kustomization.yaml", "bb"],
      ["README.md", "changed"],
    ]);
    assert.equal(firstChangedInput(planned, current), undefined);
  });

  it("names the first path that changed, went away, or appeared where none was", () => {
    const same = Object.entries(planned);
    assert.equal(
      firstChangedInput(planned, new Map([...same, ["base/a.yaml", "cc"], ["deploy/kustomization.yaml", "cc"]])),
      "base/a.yaml",
    );
    assert.equal(firstChangedInput(planned, new Map([["base/a.yaml", "aa"]])), "deploy/kustomization.yaml");
    assert.equal(firstChangedInput(planned, new Map([...same, ["deploy/optional.yaml", "dd"]])), "deploy/optional.yaml");
  });
});
