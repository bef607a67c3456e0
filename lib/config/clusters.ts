import type { Cluster } from "../model/application.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import { preventOf } from "./prevention-schema.ts";
import type { configurationSchema } from "./schema.ts";
import { quote } from "./wording.ts";

type WrittenCluster = ValueOf<typeof configurationSchema>["clusters"][number];

const labelKey = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[0-9A-Za-z](?:[0-9A-Za-z._-]{0,61}[0-9A-Za-z])?$/;

export function checkClusters(
  clusters: readonly (Partially<WrittenCluster> | undefined)[],
  add: (path: string, message: string) => void,
): void {
  for (const [index, cluster] of clusters.entries()) {
    const path = `clusters[${index}]`;
    for (const key of Object.keys(cluster?.labels ?? {})) {
      if (!labelKey.test(key))
        add(
          `${path}.labels`,
          `${quote(key)} is no name of a label: write it as Kubernetes has it, such as team or acme.com/team`,
        );
    }
    const { externalId, role } = cluster?.eks ?? {};
    if (externalId !== undefined && role === undefined)
      add(`${path}.eks.externalId`, 'is given when a role is assumed: add "role"');
  }
}

export function clusterOf({ name, labels, context, eks, prevent }: WrittenCluster): Cluster {
  const shared = { name, labels, ...preventOf(prevent) };
  if (eks === undefined) return { ...shared, kind: "kubeconfig", context: context! };
  const { name: clusterName, region, role = "", externalId = "" } = eks;
  return { ...shared, kind: "eks", clusterName, region, role, externalId };
}
