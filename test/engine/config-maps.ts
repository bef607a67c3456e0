import type { Manifest, ResourceRef } from "../../lib/model/resource.ts";
import { aConfigMap } from "../support/objects.ts";
import type { Api } from "./installation.ts";

export interface Numbered {
  /** Default 0. */
  readonly from?: number;
  /** The first that is not among them. */
  readonly to: number;
}

/** ConfigMaps of one namespace that are numbered, and whose content is a version. */
export interface ConfigMaps {
  readonly namespace: string;
  of(prefix: string, which: Numbered & { readonly version: number }): readonly Manifest[];
  ref(prefix: string, number: number): ResourceRef;
  /** What is live, in order; "gone" for one that is not there. */
  versions(prefix: string, which: Numbered): Promise<readonly string[]>;
  /** Every version that is live, each once. */
  distinct(prefix: string, which: Numbered): Promise<readonly string[]>;
}

export function configMapsIn(namespace: string, { outside }: Api): ConfigMaps {
  const numbers = ({ from = 0, to }: Numbered) => Array.from({ length: to - from }, (_, at) => from + at);
  const ref = (prefix: string, number: number): ResourceRef => {
    return { group: "", version: "v1", kind: "ConfigMap", namespace, name: `${prefix}-${number}` };
  };
  const versions = async (prefix: string, which: Numbered): Promise<readonly string[]> => {
    const live = await Promise.all(numbers(which).map((number) => outside.get(ref(prefix, number))));
    return live.map((object) => (object?.["data"] as { readonly version?: string } | undefined)?.version ?? "gone");
  };
  return {
    namespace,
    ref,
    versions,
    of: (prefix, which) =>
      numbers(which).map((number) => aConfigMap(namespace, `${prefix}-${number}`, { version: String(which.version) })),
    distinct: async (prefix, which) => [...new Set(await versions(prefix, which))],
  };
}
