import { describe } from "./checks.ts";
import { ConfigError } from "./errors.ts";

/** One of a few values. Throws a `ConfigError` that names the option. */
export function checkOneOf<T extends string | boolean>(value: T, option: string, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  const choices = allowed.map((one) => JSON.stringify(one)).join(" or ");
  throw new ConfigError(`${option} is ${describe(value)}; it must be ${choices}`);
}

/** What options come in. `of`: whose they are. Throws a `ConfigError`. */
export function checkOptions(options: unknown, of: string): void {
  if (typeof options === "object" && options !== null) return;
  throw new ConfigError(`the options of ${of} are ${describe(options)}; they must be an object`);
}

/** Throws a `ConfigError` that names the option. */
export function checkFunction(value: unknown, option: string, what: string = "a function"): void {
  if (typeof value !== "function") throw new ConfigError(`${option} is ${describe(value)}; it must be ${what}`);
}

/** An array whose members are what they must be; `what` says that. Throws a `ConfigError` that names the option. */
export function checkList(value: unknown, option: string, what: string, isOne: (one: unknown) => boolean): void {
  if (!Array.isArray(value)) throw new ConfigError(`${option} is ${describe(value)}; it must be ${what}`);
  const wrong = value.findIndex((one) => !isOne(one));
  if (wrong >= 0) throw new ConfigError(`${option} has ${describe(value[wrong])}; it must be ${what}`);
}

/** What others get to see, or to tell one from another by: a text that UTF-8 can hold. Throws a `ConfigError`. */
export function checkText(value: unknown, option: string): void {
  if (typeof value === "string" && value.length > 0 && value.isWellFormed()) return;
  throw new ConfigError(`${option} is ${describe(value)}; it must be a non-empty string without lone surrogates`);
}

/** A signal, or none; one of another realm does as well. Throws a `ConfigError`. */
export function checkSignal(value: Partial<AbortSignal> | undefined | null): void {
  if (value === undefined || (typeof value?.aborted === "boolean" && typeof value.addEventListener === "function"))
    return;
  throw new ConfigError(`signal is ${describe(value)}; it must be an AbortSignal`);
}
