import type { CallOptions } from "../model/call.ts";

/** A value as DynamoDB's JSON has it: a text, a number in digits, bytes in base64. */
export interface AttributeValue {
  readonly S?: string;
  readonly N?: string;
  readonly B?: string;
}

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What answers of DynamoDB hold, as far as it is used here. */
export interface TableAnswer {
  readonly Item?: Attributes;
  readonly Items?: readonly Attributes[];
  readonly Attributes?: Attributes;
  readonly Count?: number;
  readonly LastEvaluatedKey?: Attributes;
  readonly Responses?: Readonly<Record<string, readonly Attributes[]>>;
  readonly UnprocessedKeys?: Readonly<Record<string, { readonly Keys: readonly Attributes[] }>>;
  readonly UnprocessedItems?: Readonly<Record<string, readonly { readonly PutRequest?: { readonly Item: Attributes } }[]>>;
}

/** Asks DynamoDB. */
export interface TableClient {
  /**
   * Performs an operation (`GetItem`) by its request's JSON, after retries of what may pass. Undefined when the condition of a
   * write does not hold; throws `store` for all else, with the fault's name among the facts.
   */
  call(operation: string, request: object, options?: CallOptions): Promise<TableAnswer | undefined>;
  /** Drops its connections. */
  close(): void;
}
