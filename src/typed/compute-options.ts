import { checkOptions, checkSignal } from "../cache/choices.ts";
import { checkDuration, checkWait } from "../cache/durations.ts";

export interface ComputeOptions {
  /** For how long after its TTL a value is still served at once, while one process computes it again. Default 0. */
  readonly staleMs?: number | undefined;
  /** For how long after its TTL a value is served when it cannot be computed again. Default 0. */
  readonly graceMs?: number | undefined;
  /** For how long it is remembered that there is no value, when `load` gave `undefined`. Default 0: not at all. */
  readonly absentTtlMs?: number | undefined;
  /** How long to wait for somebody else's computation. Default 30,000. */
  readonly waitMs?: number | undefined;
  /** How long the others wait for a process that died while it computed. At least 100. Default 5,000. */
  readonly leaseTtlMs?: number | undefined;
  /** Ends the wait of this caller. A computation under way goes on for the others. */
  readonly signal?: AbortSignal | undefined;
}

export interface ComputeSettings {
  readonly staleMs: number;
  readonly graceMs: number;
  readonly absentTtlMs: number;
  readonly waitMs: number;
  readonly leaseTtlMs: number;
  readonly signal: AbortSignal | undefined;
}

const MIN_LEASE_MS = 100;

/** Fills in the defaults. Throws `ConfigError` naming the option that is wrong. */
export function computeSettings(options: ComputeOptions, operation: "getOrCompute" | "warm"): ComputeSettings {
  checkOptions(options, operation);
  const { staleMs = 0, graceMs = 0, absentTtlMs = 0, waitMs = 30_000, leaseTtlMs = 5_000, signal } = options;
  checkSignal(signal);
  return {
    staleMs: checkWait(staleMs, "staleMs"),
    graceMs: checkWait(graceMs, "graceMs"),
    absentTtlMs: checkWait(absentTtlMs, "absentTtlMs"),
    waitMs: checkWait(waitMs, "waitMs"),
    leaseTtlMs: checkDuration(leaseTtlMs, "leaseTtlMs", MIN_LEASE_MS),
    signal,
  };
}
