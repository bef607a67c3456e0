import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ManagedFieldsEntry, ObjectMeta } from "../../lib/model/resource.ts";
import { pathsOf } from "../../lib/ownership/field-set.ts";
import { fingerprintOf, foreignHash, ourFields } from "../../lib/ownership/fingerprint.ts";
import { foreignWriters, managerOf, otherOwnerOf } from "../../lib/ownership/writers.ts";

const ours: ManagedFieldsEntry = {
  manager: "driftless",
  operation: "Apply",
  apiVersion: "apps/v1",
  time: "2026-03-01T10:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1: {
    "f:metadata": { "f:labels": { "f:app.kubernetes.io/name": {}, "f:driftless.dev/application": {} } },
    "f:spec": {
      "f:replicas": {},
      "f:selector": {},
      "f:template": {
        "f:spec": {
          "f:containers": {
            'k:{"name":"web"}': {
              ".": {},
              "f:image": {},
              "f:name": {},
              "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
            },
          },
        },
      },
    },
  },
};

const controller: ManagedFieldsEntry = {
  manager: "kube-controller-manager",
  operation: "Update",
  apiVersion: "apps/v1",
  time: "2026-03-01T10:00:05Z",
  fieldsType: "FieldsV1",
  fieldsV1: {
    "f:metadata": { "f:annotations": { ".": {}, "f:deployment.kubernetes.io/revision": {} } },
    "f:status": { "f:observedGeneration": {}, "f:replicas": {} },
  },
  subresource: "status",
};

/** As the API server writes it: an entry of the scale subresource has no time. */
const scaled: ManagedFieldsEntry = {
  manager: "kubectl",
  operation: "Update",
  apiVersion: "apps/v1",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:spec": { "f:replicas": {} } },
  subresource: "scale",
};

const labelled: ManagedFieldsEntry = {
  manager: "kubectl-label",
  operation: "Update",
  apiVersion: "apps/v1",
  time: "2026-03-01T12:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:metadata": { "f:labels": { "f:team": {} } } },
};

function withEntries(...managedFields: readonly ManagedFieldsEntry[]): ObjectMeta {
  return { name: "web", namespace: "shop", managedFields };
}

describe("fingerprintOf", () => {
  it("gives 32 hex digits and the time of our own entry", () => {
    const found = fingerprintOf(withEntries(controller, ours));
    assert.match(found?.fingerprint ?? "", /^[0-9a-f]{32}$/);
    assert.equal(found?.appliedAt, "2026-03-01T10:00:00Z");
  });

  it("does not depend on the order in which the server writes the fields", () => {
    const reordered = { ...ours, fieldsV1: Object.fromEntries(Object.entries(ours.fieldsV1!).toReversed()) };
    assert.equal(fingerprintOf(withEntries(reordered))?.fingerprint, fingerprintOf(withEntries(ours))?.fingerprint);
  });

  it("changes when a field leaves our entry, and not when others write beside us", () => {
    const { "f:replicas": _taken, ...spec } = ours.fieldsV1!["f:spec"] as Record<string, never>;
    const robbed = { ...ours, fieldsV1: { ...ours.fieldsV1, "f:spec": spec } };
    const before = fingerprintOf(withEntries(ours))?.fingerprint;
    assert.notEqual(fingerprintOf(withEntries(robbed, scaled))?.fingerprint, before);
    assert.equal(fingerprintOf(withEntries(ours, controller, labelled))?.fingerprint, before);
  });

  it("is undefined for an object that we never applied, or where somebody else used our name in another way", () => {
    assert.equal(fingerprintOf({ name: "web" }), undefined);
    assert.equal(fingerprintOf(withEntries({ ...ours, operation: "Update" })), undefined);
    assert.equal(fingerprintOf(withEntries({ ...ours, subresource: "status" })), undefined);
  });
});

describe("ourFields", () => {
  it("lists what is owned in the words of the rows", () => {
    assert.deepEqual(pathsOf(ourFields(withEntries(ours))!), [
      'metadata.labels["app.kubernetes.io/name"]',
      'metadata.labels["driftless.dev/application"]',
      "spec.replicas",
      "spec.selector",
      'spec.template.spec.containers[name="web"]',
      'spec.template.spec.containers[name="web"].image',
      'spec.template.spec.containers[name="web"].name',
      'spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]',
      'spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"].containerPort',
    ]);
  });
});

describe("foreignWriters", () => {
  it("names those who wrote beside us, and not the cluster's own controllers or status writers", () => {
    const found = foreignWriters(withEntries(ours, controller, scaled, labelled));
    assert.deepEqual(
      found.map(({ manager, operation, subresource, time }) => [manager, operation, subresource, time]),
      [
        ["kubectl", "Update", "scale", ""],
        ["kubectl-label", "Update", "", "2026-03-01T12:00:00Z"],
      ],
    );
    assert.deepEqual(pathsOf(found[1]!.fields), ["metadata.labels.team"]);
  });

  it("leaves out controllers' notes and status, under whichever name they were written", () => {
    const operator: ManagedFieldsEntry = {
      manager: "my-operator",
      operation: "Update",
      time: "2026-03-01T10:00:09Z",
      fieldsV1: {
        "f:metadata": { "f:annotations": { ".": {}, "f:deployment.kubernetes.io/revision": {} } },
        "f:status": { "f:phase": {} },
      },
    };
    assert.deepEqual(foreignWriters(withEntries(operator)), []);
    const noted = {
      ...operator,
      fieldsV1: { "f:metadata": { "f:annotations": { "f:deployment.kubernetes.io/revision": {}, "f:note": {} } } },
    };
    assert.deepEqual(pathsOf(foreignWriters(withEntries(noted))[0]!.fields), ["metadata.annotations.note"]);
  });
});

describe("foreignHash", () => {
  it('is "" while nobody else wrote', () => {
    assert.equal(foreignHash(withEntries(ours, controller)), "");
  });

  it("changes when somebody adds a field, and not with time or order", () => {
    const one = foreignHash(withEntries(ours, labelled));
    assert.match(one, /^[0-9a-f]{32}$/);
    assert.notEqual(foreignHash(withEntries(ours, labelled, scaled)), one);
    assert.equal(foreignHash(withEntries({ ...labelled, time: "2026-03-02T00:00:00Z" }, ours)), one);
    assert.equal(foreignHash(withEntries(labelled, scaled)), foreignHash(withEntries(scaled, labelled)));
  });
});

describe("managerOf", () => {
  it("attributes a scaled Deployment to whoever used the scale subresource", () => {
    assert.deepEqual(managerOf(withEntries(ours, controller, scaled), "spec.replicas"), {
      manager: "kubectl",
      operation: "Update",
      subresource: "scale",
      time: "",
    });
  });

  it("names an autoscaler too, although it is part of the cluster", () => {
    const autoscaler = { ...scaled, manager: "kube-controller-manager" };
    assert.equal(managerOf(withEntries(autoscaler), "spec.replicas")?.manager, "kube-controller-manager");
  });

  it("takes the newest of several owners, and others before us", () => {
    const edited = { ...scaled, manager: "kubectl-edit", subresource: "", time: "2026-03-01T11:45:00Z" };
    assert.equal(managerOf(withEntries(ours, scaled, edited), "spec.replicas")?.manager, "kubectl-edit");
  });

  it("names us when only our own name is on the field", () => {
    assert.equal(managerOf(withEntries(ours, labelled), "spec.replicas")?.manager, "driftless");
  });

  it("finds the owner of an atomic value from a path inside it, and of a part from a path around it", () => {
    const selector = { ...labelled, manager: "kubectl-edit", fieldsV1: { "f:spec": { "f:selector": {} } } };
    assert.equal(managerOf(withEntries(selector), "spec.selector.matchLabels.app")?.manager, "kubectl-edit");
    const annotated = { ...labelled, fieldsV1: { "f:metadata": { "f:annotations": { "f:a.b/c": {} } } } };
    assert.equal(managerOf(withEntries(annotated), "metadata.annotations")?.manager, "kubectl-label");
  });

  it("does not take a field for its neighbour with a longer name", () => {
    const longer = { ...labelled, fieldsV1: { "f:spec": { "f:replicasMax": {} } }, time: "2026-03-01T09:00:00Z" };
    assert.equal(managerOf(withEntries(ours, longer), "spec.replicas")?.manager, "driftless");
  });

  it("blames a removed field on the newest foreign writer since our last apply", () => {
    assert.equal(managerOf(withEntries(ours, controller, scaled, labelled), "spec.minReadySeconds")?.manager, "kubectl-label");
  });

  it("blames nobody when every foreign writer is older than our last apply", () => {
    const old = { ...labelled, time: "2026-02-01T00:00:00Z" };
    assert.equal(managerOf(withEntries(ours, controller, old), "spec.minReadySeconds"), undefined);
  });
});

describe("otherOwnerOf", () => {
  it("is whom a forced apply takes a field from, a controller as well, and nobody where only we own it", () => {
    const autoscaler: ManagedFieldsEntry = { ...scaled, manager: "kube-controller-manager" };
    assert.equal(otherOwnerOf(withEntries(ours, autoscaler), "spec.replicas")?.manager, "kube-controller-manager");
    assert.equal(otherOwnerOf(withEntries(ours, scaled), "spec.selector"), undefined);
  });

  it("is nobody for a field that nobody owns, whoever else wrote to the object", () => {
    assert.equal(otherOwnerOf(withEntries(ours, labelled), "spec.paused"), undefined);
  });
});
