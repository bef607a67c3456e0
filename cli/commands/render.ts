import { existsSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { stringify } from "yaml";
import { stringifyJson } from "../../lib/model/json.ts";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import { createFolderTree } from "../../lib/source/folder.ts";
import type { Command } from "../command.ts";
import { ensureRenderHelper } from "../local/binaries.ts";

export const render: Command = {
  usage: "render DIR",
  summary: "the objects of a folder, as Driftless would apply them",
  help: "\nThe folder is read as it stands, committed or not; a Kustomize overlay may use anything in its repository.\n",
  options: {},
  positionals: { least: 1, most: 1 },
  async run({ positionals: [folder = ""], environment }) {
    const helper =
      environment["DRIFTLESS_RENDER_HELPER"] ?? (await ensureRenderHelper((line) => process.stderr.write(`${line}\n`)));
    const target = resolve(folder);
    const root = repositoryRoot(target);
    const renderer = createHelperRenderer({ helper });
    try {
      const path = relative(root, target).split(sep).join("/");
      const { objects, warnings } = await renderer.render({ tree: createFolderTree(root), path });
      for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
      const text = objects
        .map((object) => stringify(object, { version: "1.1", aliasDuplicateObjects: false, lineWidth: 0 }))
        .join("---\n");
      return { text, json: stringifyJson(objects) };
    } finally {
      await renderer.close();
    }
  },
};

/** The nearest folder above that is a Git repository; the folder itself when there is none. */
function repositoryRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return folder;
  }
}
