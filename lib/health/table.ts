import type { HealthStatus } from "../model/health.ts";
import { type GroupVersionKind, gvkOf } from "../model/resource.ts";
import { clouds } from "./table/clouds.ts";
import { compute } from "./table/compute.ts";
import { databases } from "./table/databases.ts";
import { delivery } from "./table/delivery.ts";
import { networking } from "./table/networking.ts";
import { operations } from "./table/operations.ts";
import { operators } from "./table/operators.ts";
import { reporting } from "./table/reporting.ts";

/**
 * How a well-known kind is judged: CEL expressions over the live object, the first that is true deciding, in this order.
 * Where none is, `otherwise` holds; without it an entry with `current` is Progressing, one without is judged by the general rules.
 */
export interface TableEntry {
  /** API groups, with a space between them; `*.example.com` is every group that ends so. */
  readonly groups: string;
  /** Kinds, with a space between them; `*` is every kind, `*Template` every one that ends so. */
  readonly kinds: string;
  readonly suspended?: string;
  readonly inProgress?: string;
  readonly failed?: string;
  readonly current?: string;
  readonly otherwise?: HealthStatus;
}

/** Every entry; where two name the same kind, the first counts. */
export const entries: readonly TableEntry[] = [
  ...delivery,
  ...databases,
  ...compute,
  ...networking,
  ...clouds,
  ...operations,
  ...operators,
  ...reporting,
];

const exact = new Map<string, TableEntry>();
const patterns: { readonly group: string; readonly kind: string; readonly entry: TableEntry }[] = [];
for (const entry of entries) {
  for (const group of entry.groups.split(/\s+/)) {
    for (const kind of entry.kinds.split(/\s+/)) {
      if (group.startsWith("*") || kind.startsWith("*")) patterns.push({ group, kind, entry });
      else if (!exact.has(`${group}/${kind}`)) exact.set(`${group}/${kind}`, entry);
    }
  }
}

const found = new Map<string, TableEntry | undefined>();

/** The entry of a kind: one that names it before one that names its group, one of the whole group before one of a family of groups. */
export function entryOf(live: { readonly apiVersion: string; readonly kind: string }): TableEntry | undefined {
  const gvk = gvkOf(live);
  const key = `${gvk.group}/${gvk.kind}`;
  if (!found.has(key)) found.set(key, exact.get(key) ?? byPattern(gvk));
  return found.get(key);
}

function byPattern({ group, kind }: GroupVersionKind): TableEntry | undefined {
  const matching = patterns.filter((pattern) => matches(pattern.group, group) && matches(pattern.kind, kind));
  return matching.sort((a, b) => exactness(b) - exactness(a))[0]?.entry;
}

function matches(pattern: string, name: string): boolean {
  return pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : pattern === name;
}

/** A kind named in full counts most, then a group named in full, then how much of a name is given. */
function exactness({ group, kind }: { readonly group: string; readonly kind: string }): number {
  return (kind.startsWith("*") ? kind.length : 1000) + (group.startsWith("*") ? 0 : 100);
}
