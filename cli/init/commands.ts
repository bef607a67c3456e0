import { partitionOf } from "../aws/partition.ts";
import type { Answers } from "./answers.ts";

/** What stands where a value is not known yet. */
const unknownAccount = "ACCOUNT_ID";

/** The two commands that bring Driftless to AWS, every parameter filled in. */
export function deployCommands(
  answers: Answers,
  { githubSecretArn }: { readonly githubSecretArn: string | undefined },
): readonly string[] {
  const { stage, region, repository, branch, configPath, clusters, github } = answers;
  const arns = clusters.map(
    (name) => `arn:${partitionOf(region)}:eks:${region}:${answers.account ?? unknownAccount}:cluster/${name}`,
  );
  const parameters = {
    configRepository: repository,
    ...(branch === "main" ? {} : { configBranch: branch }),
    ...(configPath === "driftless.yaml" ? {} : { configPath }),
    clusterArns: arns.join(","),
    ...(githubSecretArn === undefined ? {} : { githubSecret: githubSecretArn }),
    ...(github.url === "https://github.com" ? {} : { githubApiUrl: apiUrlOf(github.url) }),
  };
  const words = Object.entries(parameters).flatMap(([name, value]) => ["--param", quoted(`${name}=${value}`)]);
  const shared = ["--stage", stage, "--region", region, ...words].join(" ");
  return [`npm run package -- ${shared}`, `npx osls deploy --package .serverless ${shared}`];
}

/** Base URL of the API of a GitHub. */
export function apiUrlOf(githubUrl: string): string {
  return githubUrl === "https://github.com" ? "https://api.github.com" : `${githubUrl}/api/v3`;
}

/** One stack for each cluster, and the rights inside it; without the stacks that stand. */
export function accessCommands(
  answers: Answers,
  { outputs, standing }: { readonly outputs: ReadonlyMap<string, string>; readonly standing: ReadonlySet<string> },
): readonly string[] {
  const roles = ["SyncRoleArn", "SweepRoleArn", "PlanRoleArn", "PreviewRoleArn"].map(
    (name) => `${name}=${outputs.get(name) ?? placeholderOf(name)}`,
  );
  const missing = answers.clusters.filter((name) => !standing.has(name));
  return missing.flatMap((name) => [
    `aws cloudformation deploy --region ${answers.region} --stack-name ${clusterStackName(name)} --template-file infra/cluster.yml --parameter-overrides ClusterName=${name} ${roles.join(" ")}`,
    `aws eks update-kubeconfig --region ${answers.region} --name ${name} && kubectl apply -f infra/rbac/read.yaml -f infra/rbac/apply.yaml`,
  ]);
}

/** `SYNC_ROLE_ARN` for the output `SyncRoleArn`, until it is known. */
function placeholderOf(output: string): string {
  return output.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

/** Names of stacks have no underscore. */
export function clusterStackName(cluster: string): string {
  return `driftless-cluster-${cluster.replaceAll("_", "-")}`;
}

export function stackName({ stage }: Pick<Answers, "stage">): string {
  return `driftless-${stage}`;
}

/** This very command again, for the App. */
export function appCommand(answers: Answers): string {
  const { region, repository, branch, configPath, clusters, stage, outputDir, github } = answers;
  const options: Readonly<Record<string, string>> = {
    ...(github.organization === "" ? {} : { organization: github.organization }),
    ...(github.url === "https://github.com" ? {} : { "github-url": github.url }),
    ...(github.secretName === "driftless/github" ? {} : { "secret-name": github.secretName }),
    ...(github.credentialsFile === undefined ? {} : { "credentials-file": github.credentialsFile }),
    ...(stage === "prod" ? {} : { stage }),
    region,
    repository,
    ...(branch === "main" ? {} : { branch }),
    ...(configPath === "driftless.yaml" ? {} : { path: configPath }),
    "app-name": github.appName,
    ...(outputDir === "." ? {} : { "output-dir": outputDir }),
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, quoted(value)]);
  return ["npx driftless init --github-app", ...words, ...clusters.flatMap((name) => ["--cluster", name])].join(" ");
}

/** For a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
