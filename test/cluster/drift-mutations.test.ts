import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Manifest } from "../../lib/model/resource.ts";
import { aName } from "../apply/open.ts";
import { configurationMutations } from "./mutations/configuration.ts";
import { customMutations } from "./mutations/custom.ts";
import { harmlessMutations } from "./mutations/harmless.ts";
import { metadataMutations } from "./mutations/metadata.ts";
import type { Mutation, Told } from "./mutations/mutation.ts";
import { openStage, type Stage } from "./mutations/stage.ts";
import { recreatedMutations, stubbornMutations } from "./mutations/stubborn.ts";
import { workloadMutations } from "./mutations/workloads.ts";

const mutated = aName("mutated");
const edits = [...workloadMutations, ...metadataMutations(mutated), ...configurationMutations(mutated), ...customMutations];
const harmless = { application: aName("harmless"), mutations: harmlessMutations };
const strict = { application: aName("strict"), mutations: harmlessMutations, additions: "drift" } as const;
const recreated = aName("recreated");
const stubborn = aName("stubborn");

const troupes = {
  edited: { application: mutated, mutations: edits },
  harmless,
  strict,
  recreated: { application: recreated, mutations: recreatedMutations(recreated) },
  stubborn: { application: stubborn, mutations: stubbornMutations(stubborn) },
};
const all = Object.values(troupes);

const additionsIn = (rows: readonly Told[]) => rows.filter(([kind]) => kind === "addition");

/** What neither the server nor a controller writes. */
function content({ status: _status, metadata, ...rest }: Manifest): object {
  const { uid: _uid, resourceVersion: _version, generation: _generation, creationTimestamp: _created, ...named } = metadata;
  const { managedFields: _fields, annotations = {}, ...identity } = named;
  const own = Object.entries(annotations).filter(([name]) => !name.startsWith("deployment.kubernetes.io/"));
  return { ...rest, metadata: { ...identity, annotations: Object.fromEntries(own) } };
}

const ourShare = ({ metadata }: Manifest) =>
  metadata.managedFields?.find(({ manager, operation }) => manager === "driftless" && operation === "Apply")?.fieldsV1;

describe("one sweep over an object for each kind of edit", () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage(all);
  });
  after(() => stage.close());

  describe("finds a row for each field, and a heal brings back what Git states, and who owns it", () => {
    for (const mutation of edits) {
      test(mutation.title, () => {
        const { first, second, rows, synced, healed } = stage.seen(mutated, mutation);
        assert.deepEqual(first, mutation.rows);
        assert.deepEqual(second, additionsIn(mutation.rows));
        const by = rows.filter(({ kind }) => kind !== "addition").map(({ healedBy }) => healedBy);
        const { id } = stage.heal(mutated);
        assert.deepEqual(by, Array(mutation.rows.length - second.length).fill(id));
        assert.deepEqual(ourShare(healed), ourShare(synced));
        if (second.length === 0) assert.deepEqual(content(healed), content(synced));
      });
    }
  });

  describe("calls no drift what leaves alone what Git states: a row tells of what was added, a heal leaves it", () => {
    for (const mutation of harmlessMutations) {
      test(mutation.title, () => {
        const { first, second, synced, healed } = stage.seen(harmless.application, mutation);
        assert.deepEqual(first, mutation.rows);
        assert.deepEqual(second, mutation.rows);
        assert.deepEqual(ourShare(healed), ourShare(synced));
      });
    }
    test("and heals nothing", () => {
      assert.deepEqual(stage.heal(harmless.application).trigger, "push");
    });
  });

  describe("calls what was added drift where that is the policy, and a heal removes it", () => {
    for (const mutation of harmlessMutations) {
      test(mutation.title, () => {
        const { first, second, synced, healed } = stage.seen(strict.application, mutation);
        assert.deepEqual(first, mutation.rows);
        assert.deepEqual(second, mutation.stays === true ? mutation.rows : []);
        if (mutation.rows.length > 0 && mutation.stays !== true) assert.deepEqual(content(healed), content(synced));
      });
    }
  });

  describe("finds what the API server refuses to try an apply of", () => {
    const check = (application: string, mutation: Mutation, left: Mutation["rows"]) =>
      test(mutation.title, () => {
        const { first, second } = stage.seen(application, mutation);
        assert.deepEqual([first, second], [mutation.rows, left]);
      });
    for (const mutation of troupes.recreated.mutations) void check(recreated, mutation, []);
    for (const mutation of troupes.stubborn.mutations) void check(stubborn, mutation, mutation.rows);

    test("and heals what may be made anew, and says why of what may not", () => {
      assert.deepEqual(
        [stage.heal(recreated), stage.heal(stubborn)].map(({ trigger, phase }) => [trigger, phase]),
        [
          ["heal", "Succeeded"],
          ["heal", "Failed"],
        ],
      );
      const words = [
        /cannot be changed in data: field is immutable/,
        /is being deleted \(finalizers: driftless\.example\/held\); it is created again once it is gone/,
        /Duplicate value: "http"/,
        /may not be specified when `value` is not empty/,
      ];
      const text = stage.heal(stubborn).errors.join("\n");
      for (const word of words) assert.match(text, word);
    });
  });

  test("costs a dry run at most for each object that somebody touched", () => {
    const [first] = stage.reports;
    const objects = all.reduce((sum, { mutations }) => sum + mutations.length, 0);
    assert.ok(first.dryRuns <= objects, `${first.dryRuns} dry runs of ${objects} objects`);
    assert.deepEqual(first.healing.toSorted(), [mutated, recreated, strict.application, stubborn].toSorted());
  });
});
