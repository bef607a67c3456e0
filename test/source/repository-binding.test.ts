import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import { checkRepositoryId, type RepositoryBindings } from "../../lib/source/repository-binding.ts";

/** Bindings that already say something. */
function bindingsWith(bound: number | undefined): RepositoryBindings & { readonly asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    get: async () => bound,
    bind: async (_repository, id) => {
      asked.push(id);
      return bound ?? id;
    },
  };
}

describe("the id of a delivery's repository", () => {
  const repository = "https://github.com/Acme/Shop.git";

  it("is bound by the first delivery, and passes while it stays the same", async () => {
    const fresh = bindingsWith(undefined);
    await checkRepositoryId(fresh, { repository, repositoryId: 42 });
    await checkRepositoryId(bindingsWith(42), { repository, repositoryId: 42 });
    assert.deepEqual(fresh.asked, [42]);
  });

  it("of another repository under the same name is refused for good, with both ids and what to do", async () => {
    await assert.rejects(checkRepositoryId(bindingsWith(42), { repository, repositoryId: 77 }), (error) => {
      assert.ok(isDriftlessError(error, "source") && !error.retryable);
      assert.match(error.message, /^github\.com\/acme\/shop is repository 77 now, and was 42 .*delete the row "repository#/);
      return true;
    });
  });

  it("is not asked of a message that has none: a sweep's, or of a host without ids", async () => {
    const bindings = bindingsWith(42);
    await checkRepositoryId(bindings, { repository });
    assert.deepEqual(bindings.asked, []);
  });
});
