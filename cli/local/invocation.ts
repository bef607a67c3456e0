/** What Lambda answers when a function fails: the wire's own names. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** The parsed answer of a function, or why there is none. */
export type InvocationResult = { readonly payload: unknown } | { readonly error: FunctionError };

/** Calls a function and waits for its answer; throws `not-found` for a name that was never registered. */
export type InvokeFunction = (functionName: string, payload: unknown) => Promise<InvocationResult>;

/** What travels to the child process, and back. Payloads are JSON text, as on Lambda. */
export interface InvokeMessage {
  readonly type: "invoke";
  readonly id: string;
  readonly module: string;
  readonly functionName: string;
  readonly functionArn: string;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly payload: string;
}

export type WorkerMessage =
  | { readonly type: "ready" }
  | { readonly type: "result"; readonly id: string; readonly payload: string | undefined }
  | { readonly type: "error"; readonly id: string; readonly error: FunctionError };

/** The answer as JSON text; a function that returns nothing answers `null`. */
export type Outcome = { readonly payload: string } | { readonly error: FunctionError };
