import type { IntegerSchema, ListSchema, ObjectSchema, StringSchema } from "./json-schema.ts";

const duration = {
  type: "string",
  pattern: "^(?:[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h))+$",
  patternErrorMessage: "a duration such as 90s, 5m or 1h30m",
} as const;

const retry = {
  type: "object",
  description: "How often a sync that failed for a passing reason is started again, and after how long.",
  additionalProperties: false,
  required: [],
  default: {},
  properties: {
    limit: {
      type: "integer",
      description: "Starts after the first failure; 0 for none.",
      minimum: 0,
      maximum: 1000,
      default: 5,
    } satisfies IntegerSchema,
    backoff: {
      type: "object",
      description: "The pause before a retry.",
      additionalProperties: false,
      required: [],
      default: {},
      properties: {
        duration: { ...duration, description: "Before the first retry: at least 1s.", default: "5s" },
        factor: {
          type: "integer",
          description: "What each further pause is multiplied by.",
          minimum: 1,
          maximum: 100,
          default: 2,
        },
        maxDuration: { ...duration, description: "The longest pause: at most 24h.", default: "3m" },
      },
    },
  },
} as const satisfies ObjectSchema;

export const sync = {
  type: "object",
  description: "What a sync may do by itself.",
  additionalProperties: false,
  required: [],
  default: {},
  properties: {
    mode: {
      type: "string",
      description:
        "When a new desired state is synced: auto at once, approve once its plan is approved, manual when somebody asks for it.",
      enum: ["auto", "approve", "manual"],
      default: "auto",
    },
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
      ...duration,
      description: "How long each wave may take to be healthy before the sync fails: at least 1s, at most 8h.",
      default: "5m",
      examples: ["90s", "5m", "1h"],
    },
    hookTimeout: {
      ...duration,
      description: "How long the hooks of one wave may take before the sync fails: at least 1s, at most 8h.",
      default: "1h",
      examples: ["90s", "40m", "2h"],
    },
    retry,
  },
} as const satisfies ObjectSchema;

export const dependsOn = {
  type: "array",
  description: "Names of applications that have to be synced and healthy first.",
  items: { type: "string", description: "Name of an entry of applications.", minLength: 1, maxLength: 63 },
  default: [],
} as const satisfies ListSchema;

export const rollback = {
  type: "string",
  description: "What happens when a new state misses its deadline or is Degraded: auto brings the last healthy one back.",
  enum: ["auto", "manual"],
  default: "manual",
} as const satisfies StringSchema;

const syncWindow = {
  type: "object",
  description: "A time in which syncs may start, or may not.",
  additionalProperties: false,
  required: ["kind", "schedule", "duration"],
  properties: {
    kind: {
      type: "string",
      description: "With an allow, syncs start only while one is open; while a deny is open, none starts.",
      enum: ["allow", "deny"],
    },
    schedule: {
      type: "string",
      description: "When it opens: minute, hour, day of the month, month and day of the week, as for cron.",
      maxLength: 200,
      pattern: "^(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|[0-9A-Za-z*,/?#-]+(?: +[0-9A-Za-z*,/?#-]+){4})$",
      patternErrorMessage: 'a cron expression of five fields, such as "0 22 * * 1-5"',
      examples: ["0 22 * * 1-5"],
    },
    duration: { ...duration, description: "How long it stays open: at least 1m, at most 8784h (366 days).", examples: ["8h"] },
    timeZone: {
      type: "string",
      description: "Where the schedule's hours are told: a name such as Europe/Berlin.",
      minLength: 1,
      maxLength: 64,
      default: "UTC",
      examples: ["Europe/Berlin", "America/New_York"],
    },
  },
} as const satisfies ObjectSchema;

/** The list of an application, or the one for all of them. */
export const syncWindowsOf = <const Description extends string>(description: Description) =>
  ({ type: "array", description, items: syncWindow, default: [] }) as const satisfies ListSchema;

export const suspend = {
  type: "object",
  description: "Stops all syncs of the application, healing included.",
  additionalProperties: false,
  required: ["owner", "reason"],
  properties: {
    owner: { type: "string", description: "Who is to be asked about it.", minLength: 1, maxLength: 200 },
    reason: { type: "string", description: "Why, for people.", minLength: 1, maxLength: 1000 },
    until: {
      type: "string",
      description: "When it ends by itself, in RFC 3339. Default: never.",
      pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})$",
      patternErrorMessage: "a time of RFC 3339 such as 2026-01-31T18:00:00Z",
      examples: ["2026-01-31T18:00:00Z", "2026-01-31T18:00:00+01:00"],
    },
  },
} as const satisfies ObjectSchema;

export const drift = {
  type: "string",
  description:
    "What the sweep does about drift: heal starts a sync, report only records it, ignore does neither; prevent heals, and has the API server refuse edits by others.",
  enum: ["heal", "report", "prevent", "ignore"],
  default: "heal",
} as const satisfies StringSchema;

export const additions = {
  type: "string",
  description:
    "What is done about fields that others add: ignore nothing, report records them, drift has them removed as drift is healed.",
  enum: ["ignore", "report", "drift"],
  default: "report",
} as const satisfies StringSchema;

const words = { type: "string", minLength: 1, maxLength: 1000 } as const;

export const ignoreDifferences = {
  type: "array",
  description: "Fields that others may set: no drift, and no sync sets them back.",
  items: {
    type: "object",
    description: "Some fields of some objects.",
    additionalProperties: false,
    required: ["kind"],
    properties: {
      group: {
        type: "string",
        description: "API group, such as apps; * stands for any text. Default: the core group.",
        maxLength: 253,
        default: "",
        examples: ["apps", "*"],
      },
      kind: { type: "string", description: "Kind, such as Deployment; * stands for any text.", minLength: 1, maxLength: 63 },
      name: { type: "string", description: "Name of one object. Default: any.", maxLength: 253, default: "" },
      namespace: { type: "string", description: "Namespace of the objects. Default: any.", maxLength: 63, default: "" },
      jsonPointers: {
        type: "array",
        description: "Fields by pointers of RFC 6901.",
        items: { ...words, description: "A pointer, in which ~1 stands for a slash in a name.", examples: ["/spec/replicas"] },
        default: [],
      },
      jqPathExpressions: {
        type: "array",
        description: "Fields by path expressions of jq.",
        items: {
          ...words,
          description: "A path expression.",
          examples: ['.spec.template.spec.containers[] | select(.name == "web") | .image'],
        },
        default: [],
      },
      managedFieldsManagers: {
        type: "array",
        description: "Fields by who owns them, as metadata.managedFields has it.",
        items: { ...words, description: "Name of a field manager.", maxLength: 128, examples: ["kube-controller-manager"] },
        default: [],
      },
    },
  },
  default: [],
} as const satisfies ListSchema;

const expression = { type: "string", minLength: 1, maxLength: 4096 } as const;

export const healthCheckExprs = {
  type: "array",
  description: "How objects of a kind are judged, by CEL expressions over the live object; these win over the built-in rules.",
  items: {
    type: "object",
    description: "The rule of one kind.",
    additionalProperties: false,
    required: ["apiVersion", "kind", "current"],
    properties: {
      apiVersion: { type: "string", description: "Group and version, such as example.com/v1.", minLength: 1, maxLength: 317 },
      kind: {
        type: "string",
        description: "Kind, such as Database.",
        maxLength: 63,
        pattern: "^[A-Za-z][A-Za-z0-9]*$",
        patternErrorMessage: "the name of a kind, such as Database",
      },
      current: { ...expression, description: "True when the object is as it should be: Healthy." },
      inProgress: { ...expression, description: "True while it is on its way: Progressing." },
      failed: { ...expression, description: "True when it failed: Degraded." },
    },
  },
  default: [],
} as const satisfies ListSchema;
