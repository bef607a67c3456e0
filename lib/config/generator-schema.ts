import type { ListSchema, ObjectSchema } from "./json-schema.ts";
import { globOf } from "./names.ts";
import { repository, targetRevision } from "./source-schema.ts";

const list = {
  type: "object",
  description: "Elements that stand here.",
  additionalProperties: false,
  required: ["elements"],
  properties: {
    elements: {
      type: "array",
      description: "One application each.",
      items: {
        type: "object",
        description: "Values by name: text, whole numbers, true or false.",
        additionalProperties: true,
      },
    },
  },
} as const satisfies ObjectSchema;

const requirement = {
  type: "object",
  description: "A rule that a label has to keep.",
  additionalProperties: false,
  required: ["key", "operator"],
  properties: {
    key: { type: "string", description: "Name of the label.", minLength: 1, maxLength: 317 },
    operator: {
      type: "string",
      description: "In and NotIn look at the value, Exists and DoesNotExist only at whether there is one.",
      enum: ["In", "NotIn", "Exists", "DoesNotExist"],
    },
    values: {
      type: "array",
      description: "For In and NotIn.",
      items: { type: "string", description: "A value.", maxLength: 63 },
      default: [],
    },
  },
} as const satisfies ObjectSchema;

const clusters = {
  type: "object",
  description: "The clusters of the configuration, by their labels.",
  additionalProperties: false,
  required: [],
  properties: {
    selector: {
      type: "object",
      description: "Which of them: all rules have to hold. Default: all.",
      additionalProperties: false,
      required: [],
      properties: {
        matchLabels: {
          type: "object",
          description: "Labels and their values.",
          additionalProperties: { type: "string", description: "A value.", maxLength: 63 },
          default: {},
        },
        matchExpressions: { type: "array", description: "Rules.", items: requirement, default: [] },
      },
      default: {},
    },
  },
} as const satisfies ObjectSchema;

const git = {
  type: "object",
  description: "Folders of a repository.",
  additionalProperties: false,
  required: ["directories"],
  properties: {
    repository,
    targetRevision,
    directories: {
      type: "array",
      description: "Which folders.",
      items: {
        type: "object",
        description: "Folders by glob.",
        additionalProperties: false,
        required: ["path"],
        properties: {
          path: { ...globOf("A glob, such as apps/*."), examples: ["apps/*"] },
          exclude: { type: "boolean", description: "Leave these folders out.", default: false },
        },
      },
      minItems: 1,
    },
  },
} as const satisfies ObjectSchema;

const simple = {
  type: "object",
  description: "One source of elements.",
  additionalProperties: false,
  required: [],
  oneOf: [{ required: ["list"] }, { required: ["clusters"] }, { required: ["git"] }],
  properties: { list, clusters, git },
} as const satisfies ObjectSchema;

const generator = {
  type: "object",
  description: "One source of elements; each gives one application.",
  additionalProperties: false,
  required: [],
  oneOf: [{ required: ["list"] }, { required: ["clusters"] }, { required: ["git"] }, { required: ["matrix"] }],
  properties: {
    list,
    clusters,
    git,
    matrix: {
      type: "object",
      description: "Every element of one generator with every element of another.",
      additionalProperties: false,
      required: ["generators"],
      properties: { generators: { type: "array", description: "Exactly two.", items: simple, minItems: 2, maxItems: 2 } },
    },
  },
} as const satisfies ObjectSchema;

/** Where applications come from. */
export const generators = {
  type: "array",
  description: "What applications are made for.",
  items: generator,
  minItems: 1,
} as const satisfies ListSchema;
