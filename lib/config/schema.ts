import type { JsonSchema, ObjectSchema } from "./json-schema.ts";

const dnsLabel = "^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$";
const dnsLabelMessage = "a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit";

const cluster = {
  type: "object",
  description: "A cluster that applications are synced to. Nothing here opens it: rights come from IAM or from the kubeconfig.",
  additionalProperties: false,
  required: ["name"],
  oneOf: [{ required: ["context"] }, { required: ["eks"] }],
  properties: {
    name: {
      type: "string",
      description: "What applications call the cluster.",
      maxLength: 63,
      pattern: dnsLabel,
      patternErrorMessage: dnsLabelMessage,
    },
    context: { type: "string", description: "Context of the kubeconfig that KUBECONFIG names.", minLength: 1, maxLength: 253 },
    eks: {
      type: "object",
      description: "A cluster of Amazon EKS.",
      additionalProperties: false,
      required: ["name", "region"],
      properties: {
        name: {
          type: "string",
          description: "Name of the EKS cluster.",
          maxLength: 100,
          pattern: "^[0-9A-Za-z][0-9A-Za-z_-]*$",
          patternErrorMessage: "an EKS cluster name: letters, digits, dashes and underscores, beginning with a letter or digit",
        },
        region: {
          type: "string",
          description: "AWS region of the cluster.",
          pattern: "^[a-z]{2,4}(?:-[a-z]+)+-[0-9]+$",
          patternErrorMessage: "an AWS region such as eu-central-1",
          examples: ["eu-central-1", "us-east-1"],
        },
      },
    },
  },
} as const satisfies ObjectSchema;

const sync = {
  type: "object",
  description: "What a sync may do by itself.",
  additionalProperties: false,
  required: [],
  default: {},
  properties: {
    prune: { type: "boolean", description: "Delete objects that left the desired state.", default: true },
    allowEmpty: {
      type: "boolean",
      description: "Accept a render of no objects at all, which is an error otherwise.",
      default: false,
    },
    conflicts: {
      type: "string",
      description: "Fields that another manager owns: force takes them over, fail stops and reports.",
      enum: ["force", "fail"],
      default: "force",
    },
    createNamespace: { type: "boolean", description: "Create the application's namespace when it is missing.", default: false },
    timeout: {
      type: "string",
      description: "How long to wait for health before the sync fails: at least 1s, at most 8h.",
      pattern: "^(?:[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h))+$",
      patternErrorMessage: "a duration such as 90s, 5m or 1h30m",
      default: "5m",
      examples: ["90s", "5m", "1h"],
    },
  },
} as const satisfies ObjectSchema;

const application = {
  type: "object",
  description: "A folder of a repository, the cluster it is synced to, and how.",
  additionalProperties: false,
  required: ["name", "path", "cluster"],
  properties: {
    name: {
      type: "string",
      description: "Unique name of the application.",
      maxLength: 63,
      pattern: dnsLabel,
      patternErrorMessage: dnsLabelMessage,
    },
    repository: {
      type: "string",
      description: "Clone URL or path of the repository. Default: the repository that holds this file.",
      minLength: 1,
      maxLength: 2048,
      pattern: "^[^\\s\\u0000-\\u001f\\u007f]+$",
      patternErrorMessage: "a clone URL or a path, without white space",
    },
    targetRevision: {
      type: "string",
      description: "Branch that is followed.",
      maxLength: 244,
      pattern:
        "^(?!HEAD$|[0-9a-f]{40}$|[0-9a-f]{64}$|refs/|[/-]|.*(?:\\.\\.|//|@\\{|/\\.|\\.lock(?:/|$)))(?!@$|\\.)[^\\u0000-\\u0020\\u007f~^:?*\\[\\\\]*[^\\u0000-\\u0020\\u007f~^:?*\\[\\\\/.]$",
      patternErrorMessage: "the name of a branch (not a commit id, not HEAD, not refs/heads/...)",
      default: "main",
    },
    path: {
      type: "string",
      description: "Folder in the repository; . is its root.",
      minLength: 1,
      maxLength: 1024,
      pattern: "^(?![/~]|[A-Za-z]:)(?!(?:.*/)?\\.\\.(?:/|$))(?!.*//)[^\\\\\\u0000-\\u001f\\u007f]+$",
      patternErrorMessage: "a folder inside the repository: no leading slash, no .. part, no backslash; . is the root",
    },
    cluster: { type: "string", description: "Name of an entry of clusters.", minLength: 1 },
    namespace: {
      type: "string",
      description: "Namespace for objects that name none.",
      maxLength: 63,
      pattern: dnsLabel,
      patternErrorMessage: dnsLabelMessage,
    },
    sync,
    drift: {
      type: "string",
      description: "What the sweep does about drift: heal starts a sync, report only records it, ignore does neither.",
      enum: ["heal", "report", "ignore"],
      default: "heal",
    },
  },
} as const satisfies ObjectSchema;

/** The one statement of what `driftless.yaml` may hold: the validator reads it, and it is published for editors. */
export const configurationSchema = {
  type: "object",
  description: "Clusters and applications of one installation of Driftless.",
  additionalProperties: false,
  required: ["clusters", "applications"],
  properties: {
    clusters: { type: "array", description: "Where applications may be synced to.", items: cluster },
    applications: {
      type: "array",
      description: "What is synced. An application that leaves this list is removed.",
      items: application,
    },
  },
} as const satisfies JsonSchema;

/** The text of `driftless.schema.json`. */
export function publishedSchema(): string {
  const schema = { $schema: "http://json-schema.org/draft-07/schema#", title: "driftless.yaml", ...configurationSchema };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** Words of Argo CD and Flux, and the key or the step that stands for them here. */
export const foreignWords: { readonly [key: string]: string } = {
  repourl: 'write "repository"',
  url: 'write "repository"',
  sourceref: 'write "repository"',
  source: 'write "repository", "targetRevision" and "path" beside "name"',
  branch: 'write "targetRevision"',
  revision: 'write "targetRevision"',
  ref: 'write "targetRevision"',
  destination: 'write "cluster" and "namespace" beside "name"',
  server: 'write "cluster"',
  targetnamespace: 'write "namespace"',
  syncpolicy: 'write "sync"',
  automated: 'write its fields in "sync" itself',
  selfheal: 'write "drift: heal" beside "name"',
  kubeconfig: 'write "context", and set KUBECONFIG for the functions',
  "<<": "merge keys are not read: write the fields out, or alias the whole value",
};
