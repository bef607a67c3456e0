import type { JsonObject } from "../model/json.ts";

/** The part of JSON Schema (draft 7) that `driftless.yaml` needs; `patternErrorMessage` is read by editors too. */
export type JsonSchema = StringSchema | BooleanSchema | IntegerSchema | ListSchema | ObjectSchema | MapSchema;

export interface StringSchema {
  readonly type: "string";
  readonly description: string;
  readonly default?: string;
  readonly enum?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** Completes "must be ...". */
  readonly patternErrorMessage?: string;
  readonly examples?: readonly string[];
}

export interface BooleanSchema {
  readonly type: "boolean";
  readonly description: string;
  readonly default?: boolean;
}

export interface IntegerSchema {
  readonly type: "integer";
  readonly description: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly default?: number;
}

export interface ListSchema {
  readonly type: "array";
  readonly description: string;
  readonly items: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: readonly never[];
}

export interface ObjectSchema {
  readonly type: "object";
  readonly description: string;
  readonly additionalProperties: false;
  readonly required: readonly string[];
  readonly properties: { readonly [key: string]: JsonSchema };
  /** Exactly one of these keys stands. */
  readonly oneOf?: readonly { readonly required: readonly [string] }[];
  /** At least one of these keys stands. */
  readonly anyOf?: readonly { readonly required: readonly [string] }[];
  /** Texts inside may hold placeholders, and are checked once these are filled in. */
  readonly placeholders?: true;
  /** Only "all defaults of the properties". */
  readonly default?: { readonly [key: string]: never };
}

/** Keys of the user's own: texts, or, where `additionalProperties` is true, any JSON value. */
export interface MapSchema {
  readonly type: "object";
  readonly description: string;
  readonly additionalProperties: true | StringSchema;
  readonly default?: { readonly [key: string]: never };
}

/** The type of a value that keeps a schema, defaults filled in. */
export type ValueOf<S> = S extends { readonly enum: readonly (infer Word)[] }
  ? Word
  : S extends { readonly type: "string" }
    ? string
    : S extends { readonly type: "boolean" }
      ? boolean
      : S extends { readonly type: "integer" }
        ? number
        : S extends { readonly type: "array"; readonly items: infer Items }
          ? readonly ValueOf<Items>[]
          : S extends { readonly additionalProperties: true }
            ? JsonObject
            : S extends { readonly additionalProperties: { readonly type: "string" } }
              ? { readonly [key: string]: string }
              : S extends { readonly type: "object"; readonly properties: infer Properties }
                ? { readonly [Key in PresentKey<S, Properties>]: ValueOf<Properties[Key]> } & {
                    readonly [Key in Exclude<keyof Properties, PresentKey<S, Properties>>]?: ValueOf<Properties[Key]>;
                  }
                : never;

type PresentKey<S, Properties> = {
  [Key in keyof Properties]: S extends { readonly required: readonly (infer Required)[] }
    ? Key extends Required
      ? Key
      : Properties[Key] extends { readonly default: unknown }
        ? Key
        : never
    : never;
}[keyof Properties];

/** The same type where whatever was wrong is absent. */
export type Partially<T> = T extends readonly (infer Item)[]
  ? readonly (Partially<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Partially<T[Key]> | undefined }
    : T;
