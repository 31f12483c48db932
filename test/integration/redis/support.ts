import { expect } from "vitest";
import type { HoldfastError } from "../../../src/cache/errors.ts";

export const MINUTE = 60_000;

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value && new TextDecoder().decode(value);
}

/** The error with which an operation fails. */
export async function failureOf(operation: Promise<unknown>): Promise<HoldfastError> {
  const outcome = await operation.then(
    (value) => ({ value }),
    (error: HoldfastError) => error,
  );
  expect(outcome, "the operation was expected to fail").toBeInstanceOf(Error);
  return outcome as HoldfastError;
}

/** Keeps the event loop busy: no timer runs and no socket is read. */
export function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}
