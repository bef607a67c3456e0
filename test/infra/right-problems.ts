import { resourcesOf, type Statement, type Template } from "./template.ts";

/** What AWS knows no narrower resource for, by its own reference of actions; each only where a parameter asks for it. */
const unnarrowable: ReadonlySet<string> = new Set([
  "ecr:GetAuthorizationToken",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
]);

/** Ends of ARNs that only AWS can name. */
const namedByAws = [
  // An execution of the sync function, below the version that runs it.
  /:function:[\w-]+:\*\/durable-execution\/\*\/\*$/,
  // The network interfaces that Lambda makes, and what it makes them in.
  /:ec2:\$\{AWS::Region\}:\$\{AWS::AccountId\}:(network-interface|subnet|security-group)\/\*$/,
];

type Branch = { readonly "Fn::If": readonly [string, Statement | object, unknown] };
type Policy = { readonly PolicyDocument: { readonly Statement: readonly (Statement | Branch)[] } };

/** Rights that are wider than they have to be, and roles that may be taken by more than one service or by anybody. */
export function rightProblems(template: Template): readonly string[] {
  const roles = [...resourcesOf(template, "AWS::IAM::Role")].flatMap(([id, { Properties }]) => [
    ...trustProblems(id, Properties["AssumeRolePolicyDocument"] as { readonly Statement: readonly Statement[] }),
    ...(Properties["ManagedPolicyArns"] === undefined ? [] : [`${id} has rights that stand elsewhere`]),
    ...((Properties["Policies"] ?? []) as readonly Policy[]).flatMap((policy) => policyProblems(id, policy)),
  ]);
  const others = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"].flatMap((type) =>
    [...resourcesOf(template, type).keys()].map((id) => `${id} gives rights beside the roles`),
  );
  return [...roles, ...others];
}

function trustProblems(role: string, document: { readonly Statement: readonly object[] }): readonly string[] {
  return document.Statement.flatMap((statement) => {
    const { Principal } = statement as { readonly Principal?: unknown };
    return JSON.stringify(Principal ?? "*").includes("*") ? [`${role} may be taken by anybody`] : [];
  });
}

function policyProblems(role: string, { PolicyDocument }: Policy): readonly string[] {
  return PolicyDocument.Statement.flatMap((each) => {
    if (!("Fn::If" in each)) return statementProblems(role, each, false);
    return each["Fn::If"]
      .slice(1)
      .flatMap((branch) => ("Effect" in Object(branch) ? statementProblems(role, branch as Statement, true) : []));
  });
}

function statementProblems(role: string, statement: Statement, isConditional: boolean): readonly string[] {
  if (statement.Effect === "Deny") return [];
  const { Effect, Action, Resource, Condition: _narrows, ...others } = statement;
  const actions = [Action ?? []].flat();
  const free = isConditional && actions.every((action) => unnarrowable.has(action));
  return [
    Effect === "Allow" && Object.keys(others).length === 0
      ? ""
      : `${role} is told what it may by something else than Action and Resource`,
    ...actions.filter((action) => action.includes("*")).map((action) => `${role} may ${action}`),
    ...textsOf(Resource)
      .filter((text) => text.includes("*") && !(text === "*" && free) && !namedByAws.some((pattern) => pattern.test(text)))
      .map((text) => `${role} may ${actions.join(", ")} on ${text}`),
    textsOf(Resource).length === 0 ? `${role} may ${actions.join(", ")} on nothing that is named` : "",
  ].filter((problem) => problem !== "");
}

/** Every text in a value, whatever functions of CloudFormation are around it. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
