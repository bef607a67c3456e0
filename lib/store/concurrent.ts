/** Does the work for each, eight at a time; the first failure ends it once those under way are done. */
export async function concurrently<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < all.length; start += 8) {
    const results = await Promise.allSettled(all.slice(start, start + 8).map(work));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}
