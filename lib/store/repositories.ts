import { DriftlessError } from "../errors.ts";
import { repositoryKey } from "../model/repository.ts";
import { numberOf } from "./attributes.ts";
import type { Items } from "./items.ts";
import type { RepositoryStore } from "./store.ts";

export function createRepositories({ items }: { items: Items }): RepositoryStore {
  const get: RepositoryStore["get"] = async (repository, options) => {
    const item = await items.get(keyOf(repository), options);
    return item && numberOf(item, "id");
  };
  return {
    get,
    async bind(repository, id, options) {
      const known = await get(repository, options);
      if (known !== undefined) return known;
      const item = { ...keyOf(repository), id };
      const { written } = await items.put(item, { ...options, when: { text: "attribute_not_exists(#pk)" } });
      const stands = written ? id : await get(repository, options);
      if (stands !== undefined) return stands;
      throw new DriftlessError("store", `the binding of ${repository} was deleted while it was read`, { retryable: true });
    },
    async pin(repository, id, options) {
      if ((await get(repository, options)) !== id) await items.put({ ...keyOf(repository), id }, options);
    },
  };
}

function keyOf(repository: string) {
  return { pk: `repository#${repositoryKey(repository)}`, sk: "repository" };
}
