import type { Lease } from "./store.ts";

/** True while a lease keeps others off; after it anyone may take over. */
export function isHeld(lease: Lease | undefined, now: Date): lease is Lease {
  return lease !== undefined && Date.parse(lease.expiresAt) > now.getTime();
}
