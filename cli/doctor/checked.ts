import { isDriftlessError, messageOf } from "../../lib/errors.ts";
import { type Check, checkOf } from "../../lib/model/check.ts";

/** Runs one look; what it cannot see for want of a right is left out with a word, and what fails is a check that failed. */
export async function checked(
  name: string,
  {
    needs,
    look,
  }: { readonly needs: string; readonly look: (check: ReturnType<typeof checkOf>) => Promise<Check | readonly Check[]> },
): Promise<readonly Check[]> {
  const check = checkOf(name);
  try {
    return [await look(check)].flat();
  } catch (error) {
    if (!isDriftlessError(error)) throw error;
    const fault = String(error.facts["fault"] ?? "");
    if (/AccessDenied|NotAuthorized|UnauthorizedOperation/.test(fault)) return [check.skipped(`your credentials lack ${needs}`)];
    return [check.fail(messageOf(error))];
  }
}
