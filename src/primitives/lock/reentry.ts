import { AsyncLocalStorage } from "node:async_hooks";
import type { Cache } from "../../cache/contract.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { LockReentryError } from "./errors.ts";
import type { HeldLock } from "./held-lock.ts";
import type { LockSettings } from "./options.ts";

/** The locks that an async context runs under, innermost first. */
interface Context {
  readonly cache: Cache;
  readonly lock: HeldLock;
  readonly outer: Context | undefined;
}

const contexts = new AsyncLocalStorage<Context | undefined>();

/** Runs `fn` so that what it calls can see that it runs under `locks`. */
export function runUnder<T>(cache: Cache, locks: readonly HeldLock[], fn: () => T): T {
  let context = contexts.getStore();
  for (const lock of locks) context = { cache, lock, outer: context };
  return contexts.run(context, fn);
}

/** The lock of this name that the calling context runs under, if it is still held. */
export function heldByCaller(cache: Cache, keys: LeaseKeys): HeldLock | undefined {
  for (let at = contexts.getStore(); at; at = at.outer) {
    if (at.lock.key === keys.name && at.cache === cache && at.lock.isHeld()) return at.lock;
  }
  return undefined;
}

/** Throws when waiting for this lock would be waiting for oneself. */
export function checkReentry(cache: Cache, keys: LeaseKeys, settings: LockSettings): void {
  if (settings.nested === "wait" || heldByCaller(cache, keys) === undefined) return;
  throw new LockReentryError(
    `lock "${keys.name}" is already held by this async context: waiting for it would be waiting for itself. ` +
      'withLock of this key alone can run under the outer lock with { nested: "share" }; { nested: "wait" } waits, for ' +
      "another task to release it",
    { key: keys.name, operation: "acquireLock" },
  );
}
