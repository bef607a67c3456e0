import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application } from "../../lib/model/application.ts";
import { definitionText, firstChangedInput, selectApplications } from "../../lib/plan/affected.ts";

function anApplication(change: Partial<Application> = {}): Application {
  return {
    name: "shop",
    repository: "https://github.com/acme/shop.git",
    targetRevision: "main",
    path: "deploy",
    cluster: "qa",
    namespace: "shop",
    sync: { prune: true, allowEmpty: false, conflicts: "force", createNamespace: false, timeout: 300 },
    drift: "heal",
    ...change,
  };
}

describe("selectApplications", () => {
  const applications = [
    anApplication(),
    anApplication({ name: "next", targetRevision: "next" }),
    anApplication({ name: "other", repository: "https://github.com/acme/other" }),
    anApplication({ name: "ssh", repository: "git@github.com:Acme/Shop" }),
  ];

  it("finds the applications of a pushed branch, whichever clone URL they use", () => {
    const found = selectApplications(
      { clusters: [], applications },
      { repository: "https://github.com/acme/shop", branch: "main" },
    );
    assert.deepEqual(
      found.map(({ name }) => name),
      ["shop", "ssh"],
    );
  });

  it("finds none for a branch that nobody uses", () => {
    assert.deepEqual(
      selectApplications({ clusters: [], applications }, { repository: "https://github.com/acme/shop", branch: "mai" }),
      [],
    );
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

describe("definitionText", () => {
  it("is the same for equal definitions and differs by every field", () => {
    const reordered = Object.fromEntries(Object.entries(anApplication()).toReversed()) as unknown as Application;
    assert.equal(definitionText(reordered), definitionText(anApplication()));
    assert.notEqual(definitionText(anApplication({ namespace: "other" })), definitionText(anApplication()));
    assert.notEqual(
      definitionText(anApplication({ sync: { ...anApplication().sync, timeout: 301 } })),
      definitionText(anApplication()),
    );
  });
});
