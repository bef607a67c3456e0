import path from "node:path";
import type { Artefacts } from "../infra/artefacts.ts";
import { functionsOf, type LambdaFunction, type Template } from "../infra/template.ts";

/** One function as it is deployed: its unpacked zip, and what the template says of it. */
export interface PackagedFunction {
  readonly folder: string;
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly durable: boolean;
  /** The variables of the template. */
  readonly variables: Readonly<Record<string, string>>;
  /** Those that Lambda itself sets. */
  readonly runtimeVariables: Readonly<Record<string, string>>;
}

/** What a reference of the template is here, by logical id, or by logical id and attribute: `SyncRole.Arn`. */
export type References = Readonly<Record<string, string>>;

const accountId = "000000000000";
export const region = "us-east-1";

/** The functions by the names that the template gives them, with its references resolved. */
export function packagedFunctions(
  { template, unpacked }: Artefacts,
  references: References,
): ReadonlyMap<string, PackagedFunction> {
  const known = { ...ownReferences(template), ...references };
  return new Map(
    Array.from(functionsOf(template), ([shortName, declared]) => [
      declared.FunctionName,
      {
        folder: path.join(unpacked, shortName),
        handler: declared.Handler,
        timeoutSeconds: declared.Timeout,
        durable: declared["DurableConfig"] !== undefined,
        variables: variablesOf(declared, { template, references: known }),
        runtimeVariables: runtimeVariables(declared),
      },
    ]),
  );
}

/** Roles have ARNs, functions and aliases have names, without anybody's saying so. */
function ownReferences(template: Template): References {
  const names = new Map(Array.from(functionsOf(template).values(), ({ FunctionName }) => [FunctionName, FunctionName]));
  const found = Object.entries(template.Resources).flatMap(
    ([id, { Type, Properties }]): readonly (readonly [string, string])[] => {
      if (Type === "AWS::IAM::Role") return [[`${id}.Arn`, `arn:aws:iam::${accountId}:role/${id}`]];
      if (Type === "AWS::Lambda::Function") {
        const name = names.get(String(Properties["FunctionName"])) ?? "";
        return [
          [id, name],
          [`${id}.Arn`, functionArn(name)],
        ];
      }
      if (Type !== "AWS::Lambda::Alias") return [];
      const { FunctionName, Name } = Properties as { readonly FunctionName: { readonly Ref?: string }; readonly Name: string };
      const named = template.Resources[FunctionName.Ref ?? ""]?.Properties["FunctionName"];
      return [[id, `${functionArn(String(named))}:${Name}`]];
    },
  );
  return Object.fromEntries(found);
}

/** Of a function by its name. */
export function functionArn(name: string): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${name}`;
}

interface Resolution {
  readonly template: Template;
  readonly references: References;
}

function variablesOf(declared: LambdaFunction, resolution: Resolution): Readonly<Record<string, string>> {
  const stated = Object.entries(declared.Environment.Variables).map(
    ([name, value]) => [name, resolve(value, resolution)] as const,
  );
  return Object.fromEntries(stated.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}

/** The text that CloudFormation would make of a value; undefined for AWS::NoValue. */
function resolve(value: unknown, resolution: Resolution): string | undefined {
  if (typeof value !== "object" || value === null) return String(value);
  const [name = "", argument] = Object.entries(value)[0] ?? [];
  const { template, references } = resolution;
  const lookUp = (key: string): string => {
    const found = references[key];
    if (found === undefined) throw new Error(`the template refers to ${key}, which has no value here`);
    return found;
  };
  switch (name) {
    case "Ref":
      return argument === "AWS::NoValue" ? undefined : lookUp(String(argument));
    case "Fn::GetAtt":
      return lookUp((argument as readonly string[]).join("."));
    case "Fn::If": {
      const [condition, yes, no] = argument as readonly [string, unknown, unknown];
      return resolve(holds(template.Conditions[condition], template) ? yes : no, resolution);
    }
    case "Fn::Join": {
      const [separator, parts] = argument as readonly [string, readonly unknown[]];
      return parts.map((part) => resolve(part, resolution)).join(separator);
    }
    case "Fn::Sub":
      return String(argument).replaceAll(/\$\{([^}]+)\}/g, (_, key: string) => lookUp(key));
    default:
      throw new Error(`${name} of the template is not known here`);
  }
}

/** Parameters are put in when the service is packaged, so that conditions compare texts. */
function holds(condition: unknown, template: Template): boolean {
  const [name = "", argument] = Object.entries(condition ?? {})[0] ?? [];
  const parts = argument as readonly unknown[];
  switch (name) {
    case "Fn::Equals":
      return parts[0] === parts[1];
    case "Fn::Not":
      return !holds(parts[0], template);
    case "Fn::And":
      return parts.every((part) => holds(part, template));
    case "Fn::Or":
      return parts.some((part) => holds(part, template));
    case "Condition":
      return holds(template.Conditions[String(argument)], template);
    default:
      throw new Error(`condition ${name} of the template is not known here`);
  }
}

function runtimeVariables({ FunctionName, MemorySize, Runtime }: LambdaFunction): Readonly<Record<string, string>> {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${Runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: FunctionName,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MemorySize),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${FunctionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: "2026/01/01/[$LATEST]00000000000000000000000000000000",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    PATH: "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
  };
}
