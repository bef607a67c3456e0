export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** A CloudFormation template, as far as the tests read it. */
export interface Template {
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

export interface LambdaFunction {
  readonly FunctionName: string;
  readonly Handler: string;
  readonly Runtime: string;
  readonly Architectures: readonly string[];
  readonly Timeout: number;
  readonly Role: { readonly "Fn::GetAtt": readonly [string, string] };
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
  readonly [property: string]: unknown;
}

/** The resources of one type, by logical id. */
export function resourcesOf(template: Template, type: string): ReadonlyMap<string, Resource> {
  return new Map(Object.entries(template.Resources).filter(([, resource]) => resource.Type === type));
}

/** The one resource of a logical id. */
export function resourceOf(template: Template, id: string): Resource {
  const resource = template.Resources[id];
  if (resource === undefined) throw new Error(`the template has no ${id}`);
  return resource;
}

/** The Lambda functions, by the short name of each: `webhook`. */
export function functionsOf(template: Template): ReadonlyMap<string, LambdaFunction> {
  const found = [...resourcesOf(template, "AWS::Lambda::Function").values()].map(
    ({ Properties }) => Properties as unknown as LambdaFunction,
  );
  return new Map(found.map((properties) => [properties.FunctionName.split("-").at(-1) ?? "", properties]));
}

/** All statements of a role's policies; one with a condition as if it holds. */
export function statementsOf(template: Template, role: string): readonly Statement[] {
  const { Policies } = resourceOf(template, role).Properties as unknown as {
    readonly Policies: readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[];
  };
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement).map(whenTrue);
}

function whenTrue(statement: Statement | { readonly "Fn::If": readonly [string, Statement, unknown] }): Statement {
  return "Fn::If" in statement ? statement["Fn::If"][1] : statement;
}

/** What a role may do, sorted. */
export function actionsOf(template: Template, role: string): readonly string[] {
  return [...new Set(statementsOf(template, role).flatMap(({ Action }) => Action))].sort();
}
