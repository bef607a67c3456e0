import type { CallOptions } from "../model/call.ts";

/** Who may write for an application now. */
export interface Lease {
  readonly application: string;
  /** Id of the run that holds it. */
  readonly holder: string;
  /** Counts up with every new holder; a write with an older one is refused. */
  readonly fence: number;
  /** Generation of the desired state that the holder works on. */
  readonly generation: number;
  /** `applying`: nobody else may start; `waiting`: a newer generation may take over at once. */
  readonly phase: "applying" | "waiting";
  /** RFC 3339. After it anyone may take over. */
  readonly expiresAt: string;
}

export interface LeaseRequest extends CallOptions {
  readonly application: string;
  readonly holder: string;
  readonly generation: number;
  /** Seconds until it expires unless renewed. */
  readonly seconds: number;
}

export interface LeaseStore {
  /**
   * Takes the lease when it is free, expired, already this holder's, or held in phase `waiting` for an older generation.
   * A holder that takes its own lease again keeps its fence. Otherwise returns who holds it; one that works on an older
   * generation is refused its next renewal, so that it ends there.
   */
  acquire(
    request: LeaseRequest,
  ): Promise<{ readonly acquired: true; readonly lease: Lease } | { readonly acquired: false; readonly held: Lease }>;
  /** False when it was taken over, or a newer generation asks for it: what `renew` would answer, by a read, which many share. */
  holds(lease: Lease, options?: CallOptions): Promise<boolean>;
  /** Extends a lease and sets its phase; false when it was taken over, or a newer generation asks for it. */
  renew(
    lease: Lease,
    change: { readonly phase: Lease["phase"]; readonly seconds: number },
    options?: CallOptions,
  ): Promise<boolean>;
  /** Gives it back; no-op when it was taken over. The fence keeps counting. */
  release(lease: Lease, options?: CallOptions): Promise<void>;
  /** Undefined when free (released or never taken). */
  get(application: string, options?: CallOptions): Promise<Lease | undefined>;
}
