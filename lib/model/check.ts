/** `skipped` is for what cannot be looked at from here, and says why. */
export type CheckStatus = "ok" | "warn" | "fail" | "skipped";

/** One link of an installation, and whether it holds. */
export interface Check {
  /** `cluster prod: reachable`. */
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found; never a secret. */
  readonly message: string;
  /** What to do; "" where nothing is to be done. */
  readonly advice: string;
}

/** A check by its name; the last two arguments of a finding are what was found and what to do. */
export function checkOf(name: string) {
  const found =
    (status: CheckStatus) =>
    (message: string, advice = ""): Check => ({ name, status, message, advice });
  return { ok: found("ok"), warn: found("warn"), fail: found("fail"), skipped: found("skipped") };
}
