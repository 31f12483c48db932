import { badArguments } from "./arguments.ts";
import { compareAndSet } from "./compare-and-set.ts";
import { expiry } from "./expiry.ts";
import { keys } from "./keys.ts";
import { lifecycle } from "./lifecycle.ts";
import { ordering } from "./ordering.ts";
import type { ConformanceBackend } from "./scene.ts";
import { type ConformanceRunner, createSuite } from "./suite.ts";
import { values } from "./values.ts";
import { watching } from "./watching.ts";

export type { ConformanceBackend } from "./scene.ts";
export type { ConformanceRunner } from "./suite.ts";

/**
 * Declares the tests that every backend of the {@link Cache} contract passes:
 * one for each thing the contract says. They use `node:assert` and the runner's
 * `describe` and `it`, so any runner will do.
 *
 * ```ts
 * import { describe, it } from "node:test";
 * import { cacheConformance } from "holdfast/testing";
 *
 * cacheConformance({ describe, it }, { name: "my store", open: () => openMyStore(url) });
 * ```
 *
 * Each test opens its own clients, uses keys nobody else uses, and closes what it
 * opened: the store may be shared, and need not be empty. A test takes a second
 * at the very most on a store that behaves; one that waits in vain for a watcher
 * gives up after some four seconds, so allow tests 20 seconds on a slow machine.
 */
export function cacheConformance(runner: ConformanceRunner, backend: ConformanceBackend): void {
  const suite = createSuite(runner, backend);
  suite.group(`cache contract: ${backend.name}`, () => {
    for (const chapter of [values, compareAndSet, expiry, keys, badArguments, watching, ordering, lifecycle]) {
      chapter(suite);
    }
  });
}
