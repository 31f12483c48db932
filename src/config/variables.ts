import * as v from "valibot";
import { isHost } from "../cache/redis/address.ts";

/**
 * The environment variables and what may be in them. Valibot's own messages
 * repeat what was given, which may be a secret, so every check has its own.
 */

const text = v.string();
const flag = v.pipe(
  v.string(),
  v.toLowerCase(),
  v.picklist(["true", "1", "false", "0"], "it must be true or false"),
  v.transform((word) => word === "true" || word === "1"),
);

const schema = v.object({
  CACHE_TYPE: v.optional(v.picklist(["redis", "memory"], 'it must be "redis" or "memory"')),
  CACHE_REDIS_URL: v.optional(text),
  CACHE_REDIS_HOST: v.optional(
    v.pipe(text, v.check<string, string>(isHost, "it must be just a name or an IP address")),
  ),
  CACHE_REDIS_PORT: v.optional(wholeNumber(1, 65_535)),
  CACHE_REDIS_USERNAME: v.optional(text),
  CACHE_REDIS_PASSWORD: v.optional(text),
  CACHE_REDIS_DATABASE: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  CACHE_REDIS_TLS: v.optional(flag),
  CACHE_REDIS_TLS_CA: v.optional(text),
  CACHE_REDIS_TLS_CERT: v.optional(text),
  CACHE_REDIS_TLS_KEY: v.optional(text),
  CACHE_REDIS_TLS_SERVERNAME: v.optional(text),
  CACHE_MANAGER_MAXCONNECTIONS: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  CACHE_MANAGER_IDLETTL: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER, " (milliseconds)")),
});

/** What the variables say; one that is missing, empty or wrong is not there. */
export interface Variables {
  readonly CACHE_TYPE?: "redis" | "memory";
  readonly CACHE_REDIS_URL?: string;
  readonly CACHE_REDIS_HOST?: string;
  readonly CACHE_REDIS_PORT?: number;
  readonly CACHE_REDIS_USERNAME?: string;
  readonly CACHE_REDIS_PASSWORD?: string;
  readonly CACHE_REDIS_DATABASE?: number;
  readonly CACHE_REDIS_TLS?: boolean;
  readonly CACHE_REDIS_TLS_CA?: string;
  readonly CACHE_REDIS_TLS_CERT?: string;
  readonly CACHE_REDIS_TLS_KEY?: string;
  readonly CACHE_REDIS_TLS_SERVERNAME?: string;
  readonly CACHE_MANAGER_MAXCONNECTIONS?: number;
  readonly CACHE_MANAGER_IDLETTL?: number;
}

export type VariableName = keyof Variables;

export type Environment = Readonly<Record<string, string | undefined>>;

const Enabled = v.optional(flag);

/** Whether the cache is wanted; `undefined`: nothing is said about it. */
export function readEnabled(env: Environment, faults: string[]): boolean | undefined {
  const result = v.safeParse(Enabled, given(env, "CACHE_ENABLED"));
  if (!result.success) faults.push(`CACHE_ENABLED: ${result.issues[0].message}`);
  return result.success ? result.output : undefined;
}

/** The variables that say what the cache is like. */
export const VARIABLE_NAMES: readonly VariableName[] = Object.keys(schema.entries) as VariableName[];

/** Those of them that are set, whatever is in them. */
export function namesSet(env: Environment): VariableName[] {
  return VARIABLE_NAMES.filter((name) => given(env, name) !== undefined);
}

/** @param faults gets what is wrong, each naming its variable and none its content */
export function readVariables(env: Environment, faults: string[]): Variables {
  const set = Object.fromEntries(namesSet(env).map((name) => [name, given(env, name)]));
  const { issues, output } = v.safeParse(schema, set);
  const wrong = new Set((issues ?? []).map((issue) => String(issue.path?.[0].key)));
  for (const issue of issues ?? []) faults.push(`${issue.path?.[0].key}: ${issue.message}`);
  return Object.fromEntries(Object.entries(output as Variables).filter(([name]) => !wrong.has(name)));
}

/** A variable that is set to nothing, as `docker compose` likes to, is not set. Only a password may need its spaces. */
function given(env: Environment, name: string): string | undefined {
  const value = name === "CACHE_REDIS_PASSWORD" ? env[name] : env[name]?.trim();
  return value || undefined;
}

function wholeNumber(min: number, max: number, unit = "") {
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;
  const message = `it must be a whole number, ${range}${unit}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,16}$/, message),
    v.transform(Number),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
}
