import { isDriftlessError, messageOf } from "../../lib/errors.ts";
import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import { systemClock as clock } from "../../lib/telemetry/clock.ts";
import { type AwsCalls, createAwsCalls, valuesOf } from "../aws/calls.ts";
import { operatorCredentials } from "../aws/credentials.ts";
import { describeStack, type Stack } from "../aws/stack.ts";
import type { Command, Invocation } from "../command.ts";
import { type Answers, answersOf } from "../init/answers.ts";
import { accessCommands, clusterStackName, deployCommands, stackName } from "../init/commands.ts";
import { writeFiles } from "../init/files.ts";
import { appStep, type GithubSecret, makeGithubSecret, readGithubSecret } from "../init/github.ts";
import { done, left, type Step } from "../init/step.ts";
import { oneLine } from "../table.ts";

export const init: Command = {
  usage: "init [--repository URL] [--region REGION] [--cluster NAME]",
  summary: "writes driftless.yaml, and says what brings Driftless to AWS, step by step; may be run again",
  help: `
  --repository URL         clone URL of the repository that holds driftless.yaml
  --region REGION          where Driftless and the clusters are (default AWS_REGION)
  --cluster NAME           an EKS cluster in the region; may stand several times
  --branch NAME            branch of that repository (default main)
  --path FILE              path of driftless.yaml in it (default driftless.yaml)
  --output-dir DIR         where driftless.yaml is written (default here); what is there is never overwritten
  --stage NAME             stage of the stack driftless-STAGE (default prod)
  --account ID             AWS account of the clusters (default: that of your credentials)
  --github-app             make the GitHub App now, in the browser; Driftless has to be deployed
  --organization NAME      organisation that owns the App (default: yourself)
  --app-name NAME          name of the App, unique on GitHub
  --github-url URL         a GitHub Enterprise Server (default https://github.com)
  --secret-name NAME       secret for the App's key (default driftless/github)
  --credentials-file FILE  put the App's key into this file, mode 0600, in place of Secrets Manager
  --public                 only public repositories are read: no App
  --yes                    ask nothing on the terminal
`,
  options: {
    repository: { type: "string" },
    cluster: { type: "string", multiple: true },
    branch: { type: "string" },
    path: { type: "string" },
    "output-dir": { type: "string" },
    stage: { type: "string" },
    account: { type: "string" },
    "github-app": { type: "boolean" },
    organization: { type: "string" },
    "app-name": { type: "string" },
    "github-url": { type: "string" },
    "secret-name": { type: "string" },
    "credentials-file": { type: "string" },
    public: { type: "boolean" },
    yes: { type: "boolean" },
  },
  positionals: { least: 0, most: 0 },
  async run(invocation) {
    const answers = await answersOf(invocation);
    const credentials = operatorCredentials(answers.region);
    const aws = createAwsCalls({ region: answers.region, environment: invocation.environment, credentials, clock });
    try {
      const steps = await allSteps(answers, { aws, say: invocation.say });
      return { text: textOf(steps), json: stringifyJson(steps as unknown as JsonValue) };
    } finally {
      aws.close();
    }
  },
};

interface Tools {
  readonly aws: AwsCalls;
  readonly say: Invocation["say"];
}

/** What is known of the account; without credentials nothing, and why. */
interface Known {
  readonly account: string | undefined;
  readonly stack: Stack | undefined;
  readonly secret: GithubSecret | undefined;
  /** Clusters whose stack stands. */
  readonly standing: ReadonlySet<string>;
  readonly problem: string;
}

async function allSteps(given: Answers, { aws, say }: Tools): Promise<readonly Step[]> {
  const file = await writeFiles(given);
  const known = await look(given, aws);
  const answers = { ...given, account: given.account ?? known.account };
  const outputs = known.stack?.outputs ?? new Map<string, string>();
  const usable = known.problem === "" ? aws : undefined;
  const secret = known.secret ?? (await newSecret(answers, usable));
  const github = answers.github.wanted ? [secretStep(answers, { known, secret })] : [];
  const app = answers.github.wanted ? [await appStep({ answers, aws: usable, secret, outputs, say })] : [];
  return [
    file,
    ...github,
    deployStep(answers, { known, secret }),
    ...app,
    webhookStep(answers, { outputs, secret }),
    accessStep(answers, { outputs, standing: known.standing }),
    left("look at every link", "FAIL and warn say what to do", [
      `npx driftless doctor --region ${answers.region} --stack ${stackName(answers)}`,
    ]),
  ];
}

async function look(answers: Answers, aws: AwsCalls): Promise<Known> {
  try {
    const identity = await aws.query("sts", "GetCallerIdentity");
    const stack = await describeStack(aws, stackName(answers));
    const secret = answers.github.wanted ? await readGithubSecret(aws, answers.github.secretName) : undefined;
    const stacks = await Promise.all(answers.clusters.map((name) => describeStack(aws, clusterStackName(name))));
    const standing = new Set(answers.clusters.filter((_, index) => isWhole(stacks[index])));
    return { account: valuesOf(identity, "Account")[0], stack, secret, standing, problem: "" };
  } catch (error) {
    if (!isDriftlessError(error)) throw error;
    return { account: undefined, stack: undefined, secret: undefined, standing: new Set(), problem: messageOf(error) };
  }
}

function isWhole(stack: Stack | undefined): boolean {
  return stack !== undefined && /^(?:CREATE|UPDATE)_COMPLETE$/.test(stack.status);
}

function newSecret({ github }: Answers, aws: AwsCalls | undefined): Promise<GithubSecret> | undefined {
  if (aws === undefined || !github.wanted || github.credentialsFile !== undefined) return undefined;
  return makeGithubSecret(aws, github.secretName);
}

interface Found {
  readonly known: Known;
  readonly secret: GithubSecret | undefined;
}

function secretStep({ region, github: { secretName } }: Answers, { known, secret }: Found): Step {
  const title = "secret for GitHub";
  if (secret !== undefined) {
    const says = known.secret === undefined ? "made, empty until the App's key is in it" : "it is there";
    return done(title, `${secretName}: ${says}`);
  }
  const why = known.problem === "" ? "" : ` (AWS was not asked: ${known.problem})`;
  const command = `aws secretsmanager create-secret --region ${region} --name ${secretName} --secret-string '{}'`;
  return left(title, `make it, empty until the App's key is in it, and put its ARN into the next step${why}`, [command]);
}

function deployStep(answers: Answers, { known: { stack }, secret }: Found): Step {
  const title = "deploy";
  const name = stackName(answers);
  const githubSecretArn = answers.github.wanted ? (secret?.arn ?? "GITHUB_SECRET_ARN") : undefined;
  const commands = deployCommands(answers, { githubSecretArn });
  if (stack !== undefined && isWhole(stack)) return done(title, `${name} is ${stack.status}`);
  const says =
    stack === undefined
      ? "in the folder of Driftless, as somebody who may make stacks and roles"
      : `${name} is ${stack.status}: deploy it again`;
  return left(title, says, commands);
}

function webhookStep(
  { region, github }: Answers,
  { outputs, secret }: { readonly outputs: ReadonlyMap<string, string>; readonly secret: GithubSecret | undefined },
): Step {
  const title = "webhook";
  const url = outputs.get("HttpApiUrl");
  const place = url === undefined ? "the output HttpApiUrl of the stack, and /webhook" : `${url}/webhook`;
  if (github.wanted && secret?.credentials?.kind !== "token") {
    const says = `the App sends the pushes of every repository that it is installed for to ${place}`;
    return secret?.credentials === undefined ? left(title, `nothing more to do: once it is made, ${says}`) : done(title, says);
  }
  const arn = outputs.get("WebhookSecretArn") ?? "WEBHOOK_SECRET_ARN";
  const says = `in each repository: Settings, Webhooks, Add: URL ${place}, content type application/json, just the push event; the secret is what this prints`;
  const command = `aws secretsmanager get-secret-value --region ${region} --secret-id ${arn} --query SecretString --output text | jq -r .current`;
  return left(title, says, [command]);
}

function accessStep(
  answers: Answers,
  found: { readonly outputs: ReadonlyMap<string, string>; readonly standing: ReadonlySet<string> },
): Step {
  const title = "cluster access";
  const commands = accessCommands(answers, found);
  if (commands.length === 0)
    return done(title, "the stack of each cluster stands; what the groups may do there, infra/rbac says");
  return left(
    title,
    "let Driftless into each cluster, with the rights of infra/rbac: change apply.yaml to what the applications are made of",
    commands,
  );
}

function textOf(steps: readonly Step[]): string {
  const lines = steps.flatMap(({ title, state, says, commands }, index) => [
    `${index + 1}. ${state === "done" ? "done" : "left"}  ${title}: ${oneLine(says)}`,
    ...commands.map((command) => `     ${command}`),
  ]);
  return `${lines.join("\n")}\n`;
}
