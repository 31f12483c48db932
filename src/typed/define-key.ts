import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkTtl, describe } from "../cache/checks.ts";
import { checkOptions } from "../cache/choices.ts";
import { type Codec, codec as defaultCodec } from "../cache/codec/codec.ts";
import { ConfigError } from "../cache/errors.ts";
import { unchecked } from "./schema.ts";
import { type KeyParameters, parseTemplate } from "./template.ts";

export interface KeyOptions<Schema extends StandardSchemaV1> {
  /** How long a value lives; `Infinity`: for ever. */
  readonly ttlMs: number;
  /**
   * Any Standard Schema validator (zod, valibot, arktype…); it decides the type of the values. Values are
   * stored as they were given, if the schema accepts them, and what is read is what the schema makes of
   * them: a schema that transforms is applied once. Default: values are `unknown`; see `unchecked`.
   */
  readonly schema?: Schema | undefined;
  /**
   * Shortens each TTL by a random part of itself, up to this share, so that values that were written
   * together do not expire together. From 0 to below 1. Default 0.
   */
  readonly ttlJitter?: number | undefined;
  /** Turns values into bytes. Default: CBOR with the default limits. */
  readonly codec?: Codec | undefined;
}

/** The definition of a key: how it is named, what it holds, how long it lives. Immutable; made by {@link defineKey}. */
export interface TypedKey<Parameters, Schema extends StandardSchemaV1 = StandardSchemaV1> {
  readonly template: string;
  readonly ttlMs: number;
  readonly ttlJitter: number;
  readonly schema: Schema;
  readonly codec: Codec;
  /** The key under which the cache holds the value. */
  keyFor(parameters: Parameters): string;
}

/**
 * Defines a key with typed parameters and values.
 *
 * ```ts
 * const user = defineKey("user:{id}", { ttlMs: 60_000, schema: UserSchema });
 * user.keyFor({ id: "a:b" }); // "user:a%3Ab"
 * ```
 *
 * @throws ConfigError when the template or an option is wrong
 * @throws InvalidTtlError when `ttlMs` is no TTL
 */
export function defineKey<const Template extends string, Schema extends StandardSchemaV1 = StandardSchemaV1<unknown>>(
  template: Template,
  options: KeyOptions<Schema>,
): TypedKey<KeyParameters<Template>, Schema> {
  const { render } = parseTemplate(template);
  checkOptions(options, `defineKey "${template}"`);
  const { ttlMs, ttlJitter = 0, schema = unchecked<unknown>() as Schema, codec = defaultCodec } = options;
  if (typeof schema?.["~standard"]?.validate !== "function") {
    throw wrong(template, "schema", schema, "a Standard Schema, such as those of zod and valibot");
  }
  if (typeof codec?.encode !== "function" || typeof codec.decode !== "function") {
    throw wrong(template, "codec", codec, "an object with encode and decode");
  }
  if (!(typeof ttlJitter === "number" && ttlJitter >= 0 && ttlJitter < 1)) {
    throw wrong(template, "ttlJitter", ttlJitter, "from 0 to below 1");
  }
  return Object.freeze({
    template,
    ttlMs: checkTtl(ttlMs, template, "defineKey"),
    ttlJitter,
    schema,
    codec,
    keyFor: render as (parameters: KeyParameters<Template>) => string,
  });
}

function wrong(template: string, option: string, value: unknown, expected: string): ConfigError {
  return new ConfigError(`defineKey "${template}": ${option} is ${describe(value)}; it must be ${expected}`);
}
