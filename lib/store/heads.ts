import { repositoryKey } from "../model/repository.ts";
import { textOf } from "./attributes.ts";
import type { Items } from "./items.ts";
import type { HeadStore } from "./store.ts";

export function createHeads({ items }: { items: Items }): HeadStore {
  return {
    async get(repository, branch, options) {
      const item = await items.get(keyOf(repository, branch), options);
      return item && textOf(item, "commit");
    },
    async put(repository, branch, commit, options) {
      await items.put({ ...keyOf(repository, branch), commit }, options);
    },
  };
}

function keyOf(repository: string, branch: string) {
  return { pk: `head#${repositoryKey(repository)}`, sk: `branch#${branch}` };
}
