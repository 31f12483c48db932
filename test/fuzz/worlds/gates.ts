import assert from "node:assert/strict";
import fc from "fast-check";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { decodeToken } from "../../../src/primitives/lease/fence.ts";
import { fenceGate, StaleFenceError } from "../../../src/primitives/lock/fence-gate.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";
import { type FuzzTarget, target } from "../target.ts";
import { tokenBytes } from "../tokens.ts";

/** Tokens that are shown to a gate, between what somebody writes over its memory. */
const showings = fc.array(
  fc.record({
    found: fc.option(tokenBytes, { nil: undefined }),
    token: fc.oneof(
      fc.integer({ min: 1, max: 9 }),
      fc.maxSafeNat().filter((token) => token > 0),
    ),
  }),
  { minLength: 1, maxLength: 6 },
);

export const gateWorld: FuzzTarget = target({
  name: "gates among garbage",
  inputs: showings,
  outcomes: ["admitted", "refused"],
  runs: 500,
  async check(all) {
    const cache = createMemoryCache({ clock: new ManualClock() });
    const gate = fenceGate(cache, "table");
    let highest = 0;
    let outcome = "admitted";
    for (const { found, token } of all) {
      if (found !== undefined) {
        await cache.set("gate:{table}", found, 1_000);
        highest = decodeToken(found);
      }
      const error: unknown = await gate.admit(token).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert(error === undefined || error instanceof StaleFenceError, String(error));
      assert.equal(error === undefined, token >= highest, `${token} after ${highest}`);
      if (error === undefined) highest = token;
      else outcome = "refused";
    }
    await cache.close();
    return outcome;
  },
});
