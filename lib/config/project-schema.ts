import type { ListSchema, ObjectSchema } from "./json-schema.ts";
import { dnsLabel, externalId, globOf, namePattern, roleArn } from "./names.ts";
import { syncWindowsOf } from "./policy-schema.ts";
import { path, repository, targetRevision } from "./source-schema.ts";

const allowedKind = {
  type: "object",
  description: "Objects by group, kind and name.",
  additionalProperties: false,
  required: ["kind"],
  properties: {
    group: {
      type: "string",
      description: "API group, such as apps; * stands for any text. Default: the core group.",
      maxLength: 253,
      pattern: "^[-a-z0-9.*]*$",
      patternErrorMessage: "an API group such as apps or rbac.authorization.k8s.io, without a version; * stands for any text",
      default: "",
      examples: ["apps", "*"],
    },
    kind: {
      type: "string",
      description: "Kind, such as Deployment; * stands for any text.",
      minLength: 1,
      maxLength: 63,
      pattern: "^[A-Za-z0-9*]+$",
      patternErrorMessage: "a kind such as Deployment; * stands for any text",
    },
    name: {
      type: "string",
      description: "Names of the objects; * stands for any text.",
      minLength: 1,
      maxLength: 253,
      default: "*",
    },
  },
} as const satisfies ObjectSchema;

const kindsOf = <const Description extends string>(description: Description) =>
  ({ type: "array", description, items: allowedKind }) as const satisfies ListSchema;

const destination = {
  type: "object",
  description: "Namespaces of clusters.",
  additionalProperties: false,
  required: ["cluster", "namespace"],
  properties: {
    cluster: { ...namePattern, description: "Names of entries of clusters; * stands for any text." },
    namespace: { ...namePattern, description: "Names of namespaces; * stands for any text." },
  },
} as const satisfies ObjectSchema;

const role = {
  type: "object",
  description: "The IAM role that opens some clusters for the project.",
  additionalProperties: false,
  required: ["cluster", "arn"],
  properties: {
    cluster: {
      ...namePattern,
      description: "Names of entries of clusters; * stands for any text. The first entry that fits is taken.",
    },
    arn: roleArn,
    externalId,
  },
} as const satisfies ObjectSchema;

const applicationFile = {
  type: "object",
  description: "A file in which a team states its own applications.",
  additionalProperties: false,
  required: ["repository"],
  properties: {
    repository: { ...repository, description: "Clone URL of the team's repository." },
    targetRevision: { ...targetRevision, description: "Branch that holds the file." },
    path: { ...path, description: "Path of the file.", default: "driftless.yaml" },
  },
} as const satisfies ObjectSchema;

/** One project. */
export const project = {
  type: "object",
  description: "What some applications may use, and as whom they come to the clusters. An empty list allows nothing.",
  additionalProperties: false,
  required: ["name", "sourceRepos", "destinations", "identity"],
  properties: {
    name: { ...dnsLabel, description: "Unique name of the project." },
    description: { type: "string", description: "For people.", maxLength: 1000, default: "" },
    sourceRepos: {
      type: "array",
      description: "Repositories and chart repositories that applications may take their objects from.",
      items: {
        type: "string",
        description: "A URL; * stands for any text, within the host's name or within the path.",
        minLength: 1,
        maxLength: 2048,
        pattern: "^(?!!)[^\\s\\\\\\u0000-\\u001f\\u007f]+$",
        patternErrorMessage: "a URL such as https://github.com/acme/*, without white space; there is no ! for all others",
        examples: ["https://github.com/acme/*"],
      },
    },
    paths: {
      type: "array",
      description: "Folders of these repositories that may be read. Default: all.",
      items: { ...globOf("A glob, such as deploy/**."), examples: ["deploy/**"] },
    },
    destinations: { type: "array", description: "Where applications may put objects.", items: destination },
    clusterResourceWhitelist: {
      ...kindsOf("Kinds without a namespace that applications may write. A Namespace has to be one of the destinations as well."),
      default: [],
    },
    namespaceResourceWhitelist: kindsOf("Kinds in namespaces that applications may write. Default: all."),
    namespaceResourceBlacklist: {
      ...kindsOf("Kinds in namespaces that are left out of these."),
      default: [],
    },
    identity: {
      type: "string",
      description:
        "As whom applications come to a cluster: impersonate the user driftless:PROJECT, role for an IAM role, installation for Driftless' own identity.",
      enum: ["impersonate", "role", "installation"],
    },
    roles: { type: "array", description: "The IAM roles, for identity role.", items: role, default: [] },
    syncWindows: syncWindowsOf(
      "When syncs of the project's applications may start, further to the windows of all. Default: at any time.",
    ),
    applicationFiles: {
      type: "array",
      description: "Files of other repositories that hold applications of this project.",
      items: applicationFile,
      default: [],
    },
  },
} as const satisfies ObjectSchema;
