import { DriftlessError, type ErrorCode, isDriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { type JsonValue, parseJson, stringifyJson } from "../model/json.ts";
import type { SyncPreview } from "../model/plan.ts";

export interface PreviewRequest {
  readonly application: string;
  /** Commit to render in place of the state that waits or is desired. */
  readonly revision?: string;
}

/** Says what a sync would change now; throws `not-found` for an unknown application. */
export type Preview = (request: PreviewRequest, options?: CallOptions) => Promise<SyncPreview>;

type Answer =
  | { readonly preview: SyncPreview }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly retryable: boolean } };

/**
 * The answer of the preview function, as text: Lambda keeps an error's message only, and its JSON knows no integers beyond
 * 2^53. What is no error of Driftless is thrown on.
 */
export async function answerPreview(preview: Preview, request: PreviewRequest, options?: CallOptions): Promise<string> {
  try {
    return written({ preview: await preview(request, options) });
  } catch (error) {
    if (!isDriftlessError(error)) throw error;
    return written({ error: { code: error.code, message: messageOf(error), retryable: error.retryable } });
  }
}

/** The preview in such an answer; throws the error that is in it. */
export function readPreviewAnswer(text: string): SyncPreview {
  const answer = parseJson(text) as unknown as Answer;
  if ("preview" in answer) return answer.preview;
  const { code, message, retryable } = answer.error;
  throw new DriftlessError(code, message, { retryable });
}

function written(answer: Answer): string {
  return stringifyJson(answer as unknown as JsonValue);
}
