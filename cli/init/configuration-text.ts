import type { Answers } from "./answers.ts";

/** A `driftless.yaml` to begin with, which is valid as it stands. */
export function configurationText({ clusters, region }: Pick<Answers, "clusters" | "region">): string {
  const names = clusters.map((cluster) => ({ cluster, name: labelOf(cluster) }));
  const entries = names.map(
    ({ cluster, name }) => `  - name: ${quoted(name)}\n    eks: { name: ${quoted(cluster)}, region: ${region} }\n`,
  );
  return `# yaml-language-server: $schema=./driftless.schema.json
# Where applications go, and what Driftless may do for them. Every word: docs/configuration.md of Driftless.
clusters:
${entries.join("")}
# What each team may use. Without projects every application may use everything, with Driftless' own identity.
# projects:
#   - name: shop
#     identity: impersonate
#     sourceRepos: ["https://github.com/ORG/shop.git"]
#     destinations: [{ cluster: ${names[0]?.name}, namespace: shop }]
#     clusterResourceWhitelist: [{ group: "", kind: Namespace }] # for createNamespace

# An application that leaves this list is removed: what it owns is pruned.
applications: [] # the brackets go with the first one
#   - name: shop
#     repository: https://github.com/ORG/shop.git # default: the repository that holds this file
#     path: overlays/production # a folder of manifests, a kustomization or a chart
#     cluster: ${names[0]?.name}
#     namespace: shop
#     sync: { createNamespace: true }
#     drift: heal # report, prevent or ignore
`;
}

/** Names of clusters are DNS labels here, which those of EKS need not be. */
function labelOf(cluster: string): string {
  const label = cluster.toLowerCase().replaceAll("_", "-").slice(0, 63).replace(/-+$/, "");
  return label === "" ? "cluster" : label;
}

/** A name of digits alone would be a number. */
function quoted(name: string): string {
  return /^[A-Za-z][\w-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(name) ? name : `"${name}"`;
}
