import { describe } from "./checks.ts";
import { ConfigError } from "./errors.ts";

/** A wait or limit: 0 or more, `Infinity` allowed. Throws a `ConfigError` that names the option. */
export function checkWait(value: unknown, option: string): number {
  if (typeof value === "number" && value >= 0) return value;
  throw new ConfigError(`${option} is ${describe(value)}; it must be a number of milliseconds, 0 or more, or Infinity`);
}

/** A duration with a lower bound: finite, at least `minMs`. Throws a `ConfigError` that names the option. */
export function checkDuration(value: unknown, option: string, minMs: number): number {
  if (typeof value === "number" && value >= minMs && value !== Number.POSITIVE_INFINITY) return value;
  throw new ConfigError(
    `${option} is ${describe(value)}; it must be a finite number of milliseconds, at least ${minMs}`,
  );
}
