import type { ClusterReader } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { type Check, checkOf } from "../../model/check.ts";
import type { ResourceRef } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { projectOf } from "../projects.ts";
import type { ClusterCheckDeps, ClusterLinks } from "./check-cluster.ts";

/** What a plan needs; a project's own identity also prunes and sweeps. */
const planned = ["get", "create", "patch"];
const synced = [...planned, "list", "delete"];

/** Questions to one API server for one project. */
const most = 150;
const shown = 5;

/**
 * Asks the API server, project by project, for the rights on what its applications own. With an identity of its own it is the
 * very one that syncs come as; else it is the preview function's, and the last sweep tells of the others.
 */
export async function checkRights(
  deps: ClusterCheckDeps,
  { cluster, states }: ClusterLinks,
  options: CallOptions,
): Promise<readonly Check[]> {
  const projects = Map.groupBy(states, ({ definition }) => projectOf(definition));
  return mapConcurrently([...projects], {
    limit: 4,
    work: async ([project, members]) => {
      const check = checkOf(`cluster ${cluster.name}: rights of project ${project}`);
      try {
        const reader = await deps.clusters.reader(cluster.name, { ...options, project });
        return await rightsCheck(check, { reader, kinds: await kindsOf(deps, members, options) }, options);
      } catch (error) {
        return check.fail(messageOf(error), `see identity and roles of project ${project}, and its access in the cluster`);
      }
    },
  });
}

type Owned = Pick<ResourceRef, "group" | "kind" | "namespace">;

async function rightsCheck(
  check: ReturnType<typeof checkOf>,
  { reader, kinds }: { readonly reader: ClusterReader; readonly kinds: readonly Owned[] },
  options: CallOptions,
): Promise<Check> {
  if (kinds.length === 0) return check.skipped("its applications own nothing yet: nothing tells which rights they need");
  const verbs = reader.identityOfProject ? synced : planned;
  const questions = kinds.flatMap((kind) => verbs.map((verb) => ({ ...kind, verb })));
  const asked = questions.slice(0, most);
  const answers = await mapConcurrently(asked, {
    limit: 8,
    work: async (question) => ({ question, access: await reader.allowed(question, options) }),
  });
  const lacking = answers.flatMap(({ question, access }) => (access?.allowed === false ? [wordsOf(question)] : []));
  const unserved = answers.flatMap(({ question, access }) => (access === undefined ? [displayKind(question)] : []));
  const who = reader.identityOfProject ? "the project's own identity" : "the preview function";
  if (lacking.length > 0) {
    const text = `${who} may not ${listed(lacking)}`;
    const advice = "grant it in the cluster: infra/rbac shows a role, infra/cluster.yml the groups";
    // Without them only plans by hand fail: syncs come as another identity.
    return reader.identityOfProject ? check.fail(text, advice) : check.warn(`${text}: driftless plan fails`, advice);
  }
  if (unserved.length > 0) {
    const text = `the cluster does not serve ${listed([...new Set(unserved)])}`;
    return check.warn(text, "install the CustomResourceDefinition again, or remove the applications' objects of that kind");
  }
  const left = questions.length > asked.length ? `; ${questions.length - asked.length} more were not asked` : "";
  return check.ok(`${who} has all ${asked.length} rights that were asked for${left}`);
}

/** Kinds and namespaces of what the applications own, each once. */
async function kindsOf(
  { stores }: ClusterCheckDeps,
  states: readonly ApplicationState[],
  options: CallOptions,
): Promise<readonly Owned[]> {
  const inventories = await mapConcurrently(states, {
    limit: 8,
    work: ({ application }) => stores.inventories.load(application, options),
  });
  const owned = inventories.flatMap((inventory) => inventory?.entries ?? []);
  const kinds = new Map<string, Owned>();
  for (const { ref, leaving } of owned) {
    const { group, kind, namespace } = ref;
    if (leaving !== true) kinds.set(JSON.stringify([group, kind, namespace]), { group, kind, namespace });
  }
  return [...kinds.values()];
}

function displayKind({ group, kind }: Owned): string {
  return group === "" ? kind : `${group}/${kind}`;
}

function wordsOf(question: Owned & { readonly verb: string }): string {
  const where = question.namespace === "" ? "" : ` in ${question.namespace}`;
  return `${question.verb} ${displayKind(question)}${where}`;
}

function listed(words: readonly string[]): string {
  const more = words.length > shown ? ` and ${words.length - shown} more` : "";
  return `${words.slice(0, shown).join(", ")}${more}`;
}
