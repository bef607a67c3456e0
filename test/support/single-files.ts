import { stringifyJson } from "../../lib/model/json.ts";
import type { Manifest } from "../../lib/model/resource.ts";

/** Plain files of one application's folder, one object a file: a JSON document is YAML too. */
export function filesOf(folder: string, objects: readonly Manifest[]): Record<string, string> {
  return Object.fromEntries(
    objects.map((object) => [`${folder}/${object.kind}-${object.metadata.name}.yaml`, stringifyJson(object)]),
  );
}

/** `driftless.yaml` with one application a folder, each in the namespace of its name; the text of each ends its line. */
export function plainConfiguration(applications: Readonly<Record<string, string>>): string {
  const lines = Object.entries(applications).map(
    ([name, more]) =>
      `  - { name: ${name}, path: ${name}, cluster: local, namespace: ${name}${more === "" ? "" : `, ${more}`} }\n`,
  );
  return `clusters: [{ name: local, context: admin }]\napplications:${lines.length === 0 ? " []" : `\n${lines.join("")}`}\n`;
}
