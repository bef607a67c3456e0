import { repositoryKey } from "../model/repository.ts";
import { numberOf, textOf } from "./attributes.ts";
import { packIfFits, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { HeadStore, PlannedInputs } from "./store.ts";

export function createHeads({ items, newId }: { items: Items; newId: () => string }): HeadStore {
  return {
    async get(repository, branch, options) {
      const item = await items.get(keyOf(repository, branch), options);
      return item && textOf(item, "commit");
    },
    async put(repository, branch, commit, options) {
      await items.put({ ...keyOf(repository, branch), commit, index: options?.index ?? "none" }, options);
    },
    async index(repository, branch, options) {
      const [head, index] = await Promise.all([
        items.get(keyOf(repository, branch), options),
        items.get(indexKeyOf(repository, branch), options),
      ]);
      if (head === undefined || index === undefined || textOf(head, "index") !== textOf(index, "id")) return undefined;
      return { id: textOf(index, "id"), configuration: numberOf(index, "configuration"), inputs: unpack(index) as PlannedInputs };
    },
    async saveIndex({ repository, branch }, { configuration, inputs }, options) {
      const packed = packIfFits(inputs);
      if (packed === undefined) return undefined;
      const id = newId();
      await items.put({ ...indexKeyOf(repository, branch), id, configuration, ...packed }, options);
      return id;
    },
  };
}

function keyOf(repository: string, branch: string) {
  return { pk: `head#${repositoryKey(repository)}`, sk: `branch#${branch}` };
}

function indexKeyOf(repository: string, branch: string) {
  return { pk: `head#${repositoryKey(repository)}`, sk: `index#${branch}` };
}
