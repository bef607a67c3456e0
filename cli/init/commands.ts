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
    (name) => `${name}=${outputs.get(name) ?? name.toUpperCase()}`,
  );
  const missing = answers.clusters.filter((name) => !standing.has(name));
  return missing.flatMap((name) => [
    `aws cloudformation deploy --region ${answers.region} --stack-name ${clusterStackName(name)} --template-file infra/cluster.yml --parameter-overrides ClusterName=${name} ${roles.join(" ")}`,
    `aws eks update-kubeconfig --region ${answers.region} --name ${name} && kubectl apply -f infra/rbac/read.yaml -f infra/rbac/apply.yaml`,
  ]);
}

/** Names of stacks have no underscore. */
export function clusterStackName(cluster: string): string {
  return `driftless-cluster-${cluster.replaceAll("_", "-")}`;
}

export function stackName({ stage }: Pick<Answers, "stage">): string {
  return `driftless-${stage}`;
}

/** For a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
