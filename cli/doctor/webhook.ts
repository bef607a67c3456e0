import { messageOf } from "../../lib/errors.ts";
import { parseWebhookSecrets } from "../../lib/github/secrets.ts";
import { type Check, checkOf } from "../../lib/model/check.ts";
import type { AwsCalls } from "../aws/calls.ts";
import { checked } from "./checked.ts";

/** The secret is read, and nothing of it is said but whether it is well-formed. */
export function webhookSecretCheck(aws: AwsCalls, secretId: string): Promise<readonly Check[]> {
  return checked("webhook: secret", {
    needs: "secretsmanager:GetSecretValue on WebhookSecretArn",
    async look(check) {
      const { SecretString: text } = await aws.json("secretsmanager", "GetSecretValue", { SecretId: secretId });
      const secrets = parseWebhookSecrets(typeof text === "string" ? text : "", secretId);
      const [current] = secrets;
      if (secrets.some(({ name }) => name === "previous"))
        return check.warn(
          "the previous secret is still good",
          'once `webhook.previous-secret` is logged no more, store the secret without `previous` (docs/operations.md, "The webhook secret")',
        );
      if ((current?.value.reveal().length ?? 0) < 20)
        return check.warn("it is shorter than 20 characters", "put in a long random one, and change it in GitHub");
      return check.ok("one secret is in force");
    },
  });
}

/**
 * Sends what no GitHub sends: a delivery with a signature that nobody made. To refuse it, the function has to be reached, and to
 * read its secret.
 */
export async function webhookUrlCheck(url: string): Promise<Check> {
  const check = checkOf("webhook: address");
  const headers = {
    "content-type": "application/json",
    "x-github-event": "ping",
    "x-github-delivery": "driftless-doctor",
    "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
  };
  try {
    const answer = await fetch(url, { method: "POST", headers, body: "{}", signal: AbortSignal.timeout(15_000) });
    await answer.body?.cancel();
    const { status } = answer;
    if (status === 401) return check.ok(`${url} refuses a forged signature`);
    if (status < 300)
      return check.fail(`${url} took a delivery with a forged signature`, "that is not Driftless' webhook: correct the address");
    if (status === 500 || status === 503)
      return check.fail(
        `${url} answered ${status}`,
        "the function failed, for want of its secret perhaps: see its log, event webhook.failed",
      );
    return check.fail(
      `${url} answered ${status} to a forged signature, where 401 is right`,
      "see that it is the address of Driftless' HTTP API",
    );
  } catch (error) {
    return check.fail(
      `${url} does not answer: ${messageOf(error)}`,
      "see that the HTTP API stands, and that nothing between here and it blocks it",
    );
  }
}
