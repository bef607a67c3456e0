import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { nearestWord } from "../lib/config/suggest.ts";

/** Names that serverless.yml knows: those with a default, and the two that have none. */
function knownParameters(): readonly string[] {
  const text = readFileSync(new URL("../serverless.yml", import.meta.url), "utf8");
  const { params } = parse(text, { logLevel: "silent" }) as { readonly params: { readonly default: object } };
  return [...Object.keys(params.default), "configRepository", "clusterArns"];
}

/** `--param NAME=VALUE` of a command line, by name; the last of a name counts. */
export function parametersOf(args: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [index, argument] of args.entries()) {
    const given = argument === "--param" ? args[index + 1] : /^--param=(.*)$/s.exec(argument)?.[1];
    const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(given ?? "") ?? [];
    if (name !== "") found.set(name, value);
  }
  return found;
}

interface Shape {
  /** Of the value, or of each of its parts. */
  readonly pattern: RegExp;
  /** Commas stand between parts. */
  readonly isList?: true;
  readonly says: string;
}

const arn = (service: string, resource: string): RegExp => new RegExp(`^arn:aws[a-z-]*:${service}:${resource}$`);
const secret: Shape = {
  pattern: arn("secretsmanager", "[a-z0-9-]+:\\d{12}:secret:[\\w/+=.@-]+-\\w{6}"),
  says: "the whole ARN of one secret, which ends in six characters of Secrets Manager's own",
};

/** Every parameter that names something of AWS: a wildcard here would be one in a role. */
const shapes: Readonly<Record<string, Shape>> = {
  clusterArns: {
    pattern: arn("eks", "[a-z0-9-]+:\\d{12}:cluster/[0-9A-Za-z][0-9A-Za-z_-]{0,99}"),
    isList: true,
    says: "ARNs of EKS clusters with commas between them, no wildcard (aws eks describe-cluster --name NAME --query cluster.arn), or none where every cluster is opened by one of clusterRoles",
  },
  clusterRoles: {
    pattern: arn("iam", ":\\d{12}:role/[\\w+=.@/-]+"),
    isList: true,
    says: "ARNs of IAM roles with commas between them, no wildcard",
  },
  subnetIds: { pattern: /^subnet-[0-9a-f]{8,17}$/, isList: true, says: "ids of subnets with commas between them" },
  securityGroupIds: { pattern: /^sg-[0-9a-f]{8,17}$/, isList: true, says: "ids of security groups with commas between them" },
  githubSecret: secret,
  sopsAgeSecret: secret,
  chartSecret: secret,
  sopsKmsKeys: {
    pattern: arn("kms", "[a-z0-9-]+:\\d{12}:key/[0-9a-zA-Z-]+"),
    isList: true,
    says: "ARNs of KMS keys with commas between them; an alias gives no right",
  },
  ecrRepositories: {
    pattern: arn("ecr", "[a-z0-9-]+:\\d{12}:repository/[a-z0-9._/-]+"),
    isList: true,
    says: "ARNs of ECR repositories with commas between them, no wildcard",
  },
  alarmTopic: { pattern: arn("sns", "[a-z0-9-]+:\\d{12}:[\\w.-]+"), says: "the ARN of an SNS topic" },
};

/** What is wrong with the parameters of a package that is to be deployed, a line each. */
export function parameterProblems(parameters: ReadonlyMap<string, string>): readonly string[] {
  const known = knownParameters();
  const unknown = [...parameters.keys()].filter((name) => !known.includes(name));
  const wrong = [
    ...unknown.map((name) => unknownProblem(name, known)),
    ...[...parameters].flatMap(([name, value]) => shapeProblem(name, value)),
  ];
  if (!parameters.has("configRepository")) return wrong;
  return [...wrong, ...missingProblems(parameters)];
}

function unknownProblem(name: string, known: readonly string[]): string {
  const near = nearestWord(name, known);
  const advice = near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
  return `--param ${name}: there is no such parameter: ${advice}`;
}

function shapeProblem(name: string, value: string): readonly string[] {
  const shape = shapes[name];
  if (shape === undefined || value === "" || (name === "clusterArns" && value === "none")) return [];
  const parts = shape.isList === true ? value.split(",") : [value];
  return parts.filter((part) => !shape.pattern.test(part)).map((part) => `--param ${name}: ${part} is not one of ${shape.says}`);
}

function missingProblems(parameters: ReadonlyMap<string, string>): readonly string[] {
  const given = (name: string): boolean => (parameters.get(name) ?? "") !== "";
  const hasNone = parameters.get("clusterArns") === "none" && !given("clusterRoles");
  return [
    given("clusterArns") ? "" : `--param clusterArns is missing: ${shapes["clusterArns"]?.says}`,
    hasNone ? "--param clusterArns=none needs --param clusterRoles: no cluster could be opened" : "",
    given("subnetIds") === given("securityGroupIds") ? "" : "--param subnetIds and --param securityGroupIds: both, or neither",
  ].filter((problem) => problem !== "");
}
