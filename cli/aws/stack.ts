import { isDriftlessError } from "../../lib/errors.ts";
import { type AwsCalls, elementsOf, valuesOf } from "./calls.ts";

/** A stack of CloudFormation. */
export interface Stack {
  readonly name: string;
  /** `UPDATE_COMPLETE`. */
  readonly status: string;
  readonly outputs: ReadonlyMap<string, string>;
}

/** Undefined when there is no such stack in the region. Throws `config`. */
export async function describeStack(aws: AwsCalls, name: string): Promise<Stack | undefined> {
  try {
    const xml = await aws.query("cloudformation", "DescribeStacks", { StackName: name });
    const members = elementsOf(xml, "member").map((member) => member.replace(/^[\s\S]*<member>/, ""));
    const outputs = members.flatMap((member): readonly (readonly [string, string])[] => {
      const [key] = valuesOf(member, "OutputKey");
      return key === undefined ? [] : [[key, valuesOf(member, "OutputValue")[0] ?? ""]];
    });
    return { name, status: valuesOf(xml, "StackStatus")[0] ?? "", outputs: new Map(outputs) };
  } catch (error) {
    if (isDriftlessError(error) && error.facts["fault"] === "ValidationError" && /does not exist/.test(error.message))
      return undefined;
    throw error;
  }
}
