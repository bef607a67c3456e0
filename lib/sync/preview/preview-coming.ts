import type { DesiredObject } from "../../apply/prepare.ts";
import type { PlannedAction } from "../../model/plan.ts";
import type { GroupVersionKind, ResourceRef } from "../../model/resource.ts";
import { isCrd } from "../../plan/foundation.ts";

/** What comes with the same sync, so that the API server cannot judge yet what stands on it. */
export interface Coming {
  /** Names of new namespaces. */
  readonly namespaces: ReadonlySet<string>;
  /** `GROUP/KIND` of definitions that are new or become others. */
  readonly kinds: ReadonlySet<string>;
}

export const nothingComing: Coming = { namespaces: new Set(), kinds: new Set() };

/** What is coming with these definitions and namespaces; `actionOf` is undefined for one that stays as it is. */
export function comingWith(
  foundations: readonly DesiredObject[],
  actionOf: (ref: ResourceRef) => PlannedAction | undefined,
): Coming {
  const [definitions, namespaces] = [
    foundations.filter(({ manifest }) => isCrd(manifest)),
    foundations.filter(({ manifest }) => !isCrd(manifest)),
  ];
  return {
    namespaces: new Set(namespaces.filter(({ ref }) => actionOf(ref) === "create").map(({ ref }) => ref.name)),
    kinds: new Set(definitions.filter(({ ref }) => actionOf(ref) !== undefined).map(definedKind)),
  };
}

/** True for an object whose kind is new, or becomes another. */
export function isComing({ group, kind }: Pick<GroupVersionKind, "group" | "kind">, { kinds }: Coming): boolean {
  return kinds.has(`${group}/${kind}`);
}

function definedKind({ manifest }: DesiredObject): string {
  const spec = manifest["spec"] as { readonly group?: string; readonly names?: { readonly kind?: string } } | undefined;
  return `${spec?.group ?? ""}/${spec?.names?.kind ?? ""}`;
}
