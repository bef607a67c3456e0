/** Where a delivery stands. Every delivery ends as `planned`, `ignored` or `failed`, with the reason. */
export type DeliveryState = "received" | "queued" | "planned" | "ignored" | "failed";

/** One webhook delivery of GitHub: its row tells which applications it matched, or why none. */
export interface Delivery {
  /** GitHub's delivery GUID. */
  readonly id: string;
  readonly event: string;
  /** Clone URL as the payload gives it; "" for events without one. */
  readonly repository: string;
  /** Branch name; "" when the event names none. */
  readonly branch: string;
  /** Head after the push as the payload claims; a hint only. */
  readonly after: string;
  readonly receivedAt: string;
  readonly state: DeliveryState;
  /** Applications whose desired state changed by it. */
  readonly applications: readonly string[];
  /** Why nothing was done, or what failed; "" otherwise. */
  readonly reason: string;
  /** True for a failure that may pass: the sweep queues the branch again. */
  readonly retryable?: true;
  /** How often the sweep queued the branch again, and when last (RFC 3339); absent before the first time. */
  readonly replayed?: { readonly times: number; readonly at: string };
}

/** What travels through the queue: a hint to look at the head of a branch. */
export interface RevisionMessage {
  readonly repository: string;
  readonly branch: string;
  /** Delivery GUID, or the id of the sweep that found the moved head. */
  readonly correlationId: string;
  /** Commit that the sender saw; "" when none. A hint only. */
  readonly after: string;
  /** The host's numeric id of the repository, where the delivery told it: a name may come to mean another repository. */
  readonly repositoryId?: number;
}
