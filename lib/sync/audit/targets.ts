import type { Edit } from "../../audit/edit.ts";

/** One object, or one collection of a namespace (`name` is "" then), with the edits of it that a batch told of. */
export interface Target extends Pick<Edit, "group" | "version" | "resource" | "namespace" | "name"> {
  /** Newest first. */
  readonly edits: readonly Edit[];
}

export interface Targets {
  readonly taken: readonly Target[];
  /** Objects for which a batch has no room: the next sweep looks at them. */
  readonly left: number;
}

/** Objects that one batch is looked at for; a storm beyond it costs nothing. */
const mostTargets = 200;
/** Whoever wrote before these is not the one whose values stand. */
const mostEdits = 10;

/** Groups edits by what they are about, so that a burst on one object is one look. */
export function targetsOf(edits: readonly Edit[]): Targets {
  const newest = edits.toSorted((a, b) => (a.at < b.at ? 1 : -1));
  const byObject = Map.groupBy(newest, ({ group, resource, namespace, name }) => [group, resource, namespace, name].join("/"));
  const all = [...byObject.values()].flatMap((members): readonly Target[] => {
    const [first] = members;
    // A creation under a generated name: nobody has desired it.
    if (first === undefined || (first.name === "" && first.verb !== "deletecollection")) return [];
    const { group, version, resource, namespace, name } = first;
    return [{ group, version, resource, namespace, name, edits: members.slice(0, mostEdits) }];
  });
  return { taken: all.slice(0, mostTargets), left: Math.max(0, all.length - mostTargets) };
}
