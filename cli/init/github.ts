import { rename, rm, writeFile } from "node:fs/promises";
import { DriftlessError, isDriftlessError, messageOf } from "../../lib/errors.ts";
import { parseWebhookSecrets } from "../../lib/github/secrets.ts";
import { type GithubCredentials, parseGithubCredentials } from "../../lib/source/github-credentials.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { type AwsCalls, textOf } from "../aws/calls.ts";
import type { Answers } from "./answers.ts";
import { setAppHook } from "./app-hook.ts";
import { type CreatedApp, createApp } from "./app-manifest.ts";
import { apiUrlOf, appCommand, quoted } from "./commands.ts";
import { done, left, type Step } from "./step.ts";

/** The secret with what opens GitHub, as Secrets Manager has it. */
export interface GithubSecret {
  readonly arn: string;
  /** Undefined while it is empty. */
  readonly credentials: GithubCredentials | undefined;
}

/** Undefined when there is no such secret. Throws `config` where it may not be read, or holds something else. */
export async function readGithubSecret(aws: AwsCalls, name: string): Promise<GithubSecret | undefined> {
  try {
    const { ARN: arn, SecretString: text } = await aws.json("secretsmanager", "GetSecretValue", { SecretId: name });
    const isEmpty = text === "{}";
    return { arn: textOf(arn), credentials: isEmpty ? undefined : parseGithubCredentials(textOf(text), name) };
  } catch (error) {
    if (isDriftlessError(error) && error.facts["fault"] === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

/** Makes the secret, empty, so that the deployment can name it before the App is there. */
export async function makeGithubSecret(aws: AwsCalls, name: string): Promise<GithubSecret> {
  const request = { Name: name, Description: "What opens GitHub for Driftless", SecretString: "{}" };
  const { ARN: arn } = await aws.json("secretsmanager", "CreateSecret", request);
  return { arn: textOf(arn), credentials: undefined };
}

export interface AppDeps {
  readonly answers: Answers;
  /** Undefined without credentials of AWS. */
  readonly aws: AwsCalls | undefined;
  readonly secret: GithubSecret | undefined;
  /** Of the stack: HttpApiUrl and WebhookSecretArn. */
  readonly outputs: ReadonlyMap<string, string>;
  readonly say: (line: string) => void;
}

const title = "GitHub App";

/** Makes the App where that was asked for and is possible; else says what is missing. */
export async function appStep(deps: AppDeps): Promise<Step> {
  const { answers, secret, outputs } = deps;
  const { credentials } = secret ?? {};
  if (credentials?.kind === "app") return done(title, `App ${credentials.appId}: its key is in ${answers.github.secretName}`);
  if (credentials?.kind === "token")
    return done(title, `a token is in ${answers.github.secretName}; an App is better for more than a first try`);
  const again = appCommand(answers);
  const owner = answers.github.organization === "" ? "; --organization ORG makes it one of an organisation" : "";
  const url = outputs.get("HttpApiUrl");
  if (url === undefined) return left(title, `once Driftless is deployed, make it${owner}`, [again]);
  if (secret === undefined && answers.github.credentialsFile === undefined)
    return left(
      title,
      "its key has no place: let this command reach Secrets Manager, or name a file with --credentials-file; then",
      [again],
    );
  if (!answers.github.create) return left(title, `make it${owner}`, [again]);
  return makeApp(deps, `${url}/webhook`);
}

async function makeApp({ answers, aws, outputs, say }: AppDeps, webhook: string): Promise<Step> {
  const { url: githubUrl, organization, appName: name, credentialsFile, secretName } = answers.github;
  const apiUrl = apiUrlOf(githubUrl);
  const app = await createApp({ githubUrl, apiUrl, organization, name, webhook }, { say });
  // At once: GitHub gives the key this one time.
  const kept = await keepKey(app, { aws, secretName, file: credentialsFile });
  const install = `install it for the repositories that Driftless reads: ${app.page}/installations/new`;
  const says = [`App ${app.appId} is made, its key is in ${kept.place}`];
  try {
    const secret = await webhookSecret(aws, outputs.get("WebhookSecretArn") ?? "");
    await setAppHook({ apiUrl, appId: app.appId, privateKey: app.privateKey, url: webhook, secret });
    says.push("its deliveries are signed with the webhook secret");
  } catch (error) {
    says.push(`set its webhook secret by hand, in its settings: ${messageOf(error)}`);
  }
  return left(title, [...says, install].join("; "), kept.commands);
}

async function keepKey(
  { appId, privateKey }: CreatedApp,
  { aws, secretName, file }: { aws: AwsCalls | undefined; secretName: string; file: string | undefined },
): Promise<{ readonly place: string; readonly commands: readonly string[] }> {
  const text = JSON.stringify({ appId, privateKey: privateKey.reveal() });
  if (file === undefined && aws !== undefined) {
    try {
      await aws.json("secretsmanager", "PutSecretValue", { SecretId: secretName, SecretString: text });
      return { place: secretName, commands: [] };
    } catch (cause) {
      // GitHub does not give it twice: better a file than nothing.
      const rescue = `driftless-app-${appId}.json`;
      await writePrivately(rescue, text);
      throw new DriftlessError(
        "config",
        `${messageOf(cause)}; the App's key is kept in ${rescue}: put it into ${secretName}, and delete it`,
        { cause },
      );
    }
  }
  const place = file ?? `driftless-app-${appId}.json`;
  await writePrivately(place, text);
  return {
    place: `${place}, which only you can read`,
    commands: [
      `aws secretsmanager put-secret-value --secret-id ${secretName} --secret-string file://${quoted(place)} && rm ${quoted(place)}`,
    ],
  };
}

/** A new file that nobody else can read, put in the place of what was there in one step. */
async function writePrivately(file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}.new`;
  try {
    await writeFile(beside, text, { mode: 0o600, flag: "wx" });
    await rename(beside, file);
  } catch (cause) {
    await rm(beside, { force: true });
    throw new DriftlessError("config", `the App's key could not be written to ${file}: ${messageOf(cause)}`, { cause });
  }
}

async function webhookSecret(aws: AwsCalls | undefined, arn: string): Promise<Secret> {
  if (aws === undefined || arn === "") throw new DriftlessError("config", "the secret could not be read without access to AWS");
  const { SecretString: text } = await aws.json("secretsmanager", "GetSecretValue", { SecretId: arn });
  const [current] = parseWebhookSecrets(typeof text === "string" ? text : "", arn);
  return new Secret(current?.value.reveal() ?? "");
}
