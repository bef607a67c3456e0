import type { Cluster } from "../model/application.ts";
import { defaultPrevention } from "../model/prevention.ts";
import type { ListSchema, ObjectSchema, ValueOf } from "./json-schema.ts";

const namesOf = (description: string) =>
  ({
    type: "array",
    description,
    items: { type: "string", description: "A name, as the API server knows it.", minLength: 1, maxLength: 1024 },
    default: [],
  }) as const satisfies ListSchema;

const allow = {
  type: "object",
  description: "Who changes these objects as a matter of course: operators that write to them.",
  additionalProperties: false,
  required: [],
  properties: {
    users: namesOf("User names, such as system:serviceaccount:cert-manager:cert-manager-cainjector."),
    groups: namesOf("Groups, such as system:serviceaccounts:keda."),
  },
  default: {},
} as const satisfies ObjectSchema;

/** Beside Driftless and the cluster's own controllers, which need no entry. */
export const prevent = {
  type: "object",
  description: "Who gets through where drift is prevented.",
  additionalProperties: false,
  required: [],
  properties: {
    allow,
    breakGlassGroups: {
      type: "array",
      description: 'Groups whose members get through in an emergency, and are recorded. Default: "driftless:break-glass".',
      items: { type: "string", description: "A name, as the API server knows it.", minLength: 1, maxLength: 1024 },
    },
  },
} as const satisfies ObjectSchema;

/** An empty list of break-glass groups means that there are none. */
export function preventOf(written: ValueOf<typeof prevent> | undefined): Pick<Cluster, "prevent"> {
  if (written === undefined) return {};
  const { allow: allowed, breakGlassGroups = defaultPrevention.breakGlassGroups } = written;
  return { prevent: { allow: allowed, breakGlassGroups } };
}
