import type { StringSchema } from "./json-schema.ts";

/** What a name of a cluster, project, application or namespace has to be. */
export const dnsLabel = {
  type: "string",
  description: "A DNS label.",
  maxLength: 63,
  pattern: "^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$",
  patternErrorMessage: "a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit",
} as const satisfies StringSchema;

/** Patterns over such names. */
export const namePattern = {
  type: "string",
  description: "A name, in which * stands for any text.",
  minLength: 1,
  maxLength: 253,
  pattern: "^[-a-z0-9*]+$",
  patternErrorMessage: "a name of lower-case letters, digits and dashes, in which * stands for any text",
} as const satisfies StringSchema;

const globs = {
  type: "string",
  minLength: 1,
  maxLength: 1024,
  pattern:
    "^(?!/)(?!(?:.*/)?\\.\\.(?:/|$))(?!.*//)(?!!)(?!(?:.*/)?(?:\\*\\*[^/]|[^/]+\\*\\*))[^\\\\?\\[\\]{}\\u0000-\\u001f\\u007f]+$",
  patternErrorMessage:
    "a glob inside the repository, such as deploy/*/overlays or deploy/**: * is any text within a folder's name, ** any number of folders; no leading slash, no .. part, none of ? [ ] { } ! \\",
} as const;

/** Paths inside a repository: `deploy/**`. */
export const globOf = <const Description extends string>(description: Description) =>
  ({ ...globs, description }) as const satisfies StringSchema;

/** An IAM role. */
export const roleArn = {
  type: "string",
  description: "ARN of an IAM role.",
  maxLength: 2048,
  pattern: "^arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role/[0-9A-Za-z+=,.@_/-]+$",
  patternErrorMessage: "the ARN of an IAM role, such as arn:aws:iam::111122223333:role/driftless-shop",
  examples: ["arn:aws:iam::111122223333:role/driftless-shop"],
} as const satisfies StringSchema;

export const externalId = {
  type: "string",
  description: "External id that the role's trust policy asks for. Default: none.",
  maxLength: 1224,
  pattern: "^[0-9A-Za-z+=,.@:_/-]{2,}$",
  patternErrorMessage: "an external id of AWS: at least two letters, digits or + = , . @ : / _ -",
} as const satisfies StringSchema;
