import assert from "node:assert/strict";
import fc from "fast-check";
import type { Election } from "../../../src/primitives/leader/election.ts";
import type { LeaderInfo } from "../../../src/primitives/leader/leader-info.ts";
import { leaseKeys } from "../../../src/primitives/lease/names.ts";
import { Candidates, untilAborted } from "../../unit/leader/candidates.ts";
import { leaseRecordBytes } from "../records.ts";
import { type FuzzTarget, target } from "../target.ts";
import { tokenBytes } from "../tokens.ts";

const TTL_MS = 1_000;
const keys = leaseKeys("leader", "reports");

type Step =
  | { readonly do: "spoil lease" | "spoil fence"; readonly bytes: Uint8Array; readonly ttlMs: number }
  | { readonly do: "resign" }
  | { readonly do: "pass"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("spoil lease" as const),
    bytes: leaseRecordBytes,
    // Not sooner gone than the lease that it may have taken the place of.
    ttlMs: fc.constantFrom(TTL_MS, 2_000, 8_000),
  }),
  fc.record({ do: fc.constant("spoil fence" as const), bytes: tokenBytes, ttlMs: fc.constantFrom(10, 5_000) }),
  fc.record({ do: fc.constant("resign" as const) }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 100, 2_000) }),
);

/** An election in a store in which somebody writes over the record and the fence. */
export const electionWorld: FuzzTarget = target({
  name: "elections among garbage",
  inputs: fc.array(step, { minLength: 1, maxLength: 8 }),
  outcomes: ["led"],
  runs: 100,
  async check(steps) {
    const world = new Candidates();
    const store = world.store();
    const withdrawal = new AbortController();
    const { signal } = withdrawal;
    const candidates = ["a", "b"].map((holder) => world.candidate(holder, { ttlMs: TTL_MS }));
    let terms = 0;
    const works = candidates.map(({ election }) =>
      election
        .run(
          async (term) => {
            terms += 1;
            assert(Number.isSafeInteger(term.fencingToken) && term.fencingToken > 0);
            assertOneLeads(candidates.map((candidate) => candidate.election));
            await untilAborted(term);
          },
          { signal },
        )
        .catch((error: unknown) => assert.equal(error, signal.reason)),
    );
    // Looked at in the end; until then a rejection is nobody's.
    for (const work of works) work.catch(() => {});
    const seen = observe(candidates[0]?.election as Election, signal);

    for (const each of steps) {
      if (each.do === "spoil lease") await store.set(keys.lease, each.bytes, each.ttlMs);
      else if (each.do === "spoil fence") {
        // Not within the microseconds for which the last turn has reserved its tokens: terms would not rise then.
        await world.clock.advance(1);
        await store.set(keys.fence, each.bytes, each.ttlMs);
      } else if (each.do === "pass") await world.clock.advance(each.ms);
      else await Promise.all(candidates.map(({ election }) => election.resign()));
    }
    const before = terms;
    await world.clock.advance(1);
    await store.delete(keys.fence);
    await world.clock.advance(30_000);
    // Garbage expires; then somebody leads, and observers see who.
    assert.equal(candidates.filter(({ election }) => election.isLeader).length, 1);
    assert.match(String(seen.at(-1)?.holder), /^[ab]$/);
    withdrawal.abort(new Error("withdrawn"));
    await world.clock.advance(30_000);
    await Promise.all(works);
    assert.equal(world.clock.timers, 0);
    const operations = candidates.reduce((sum, { cache }) => sum + cache.calls.length, 0);
    assert(operations < 2_000, `${operations} operations`);
    return terms >= before ? "led" : "never led";
  },
});

function assertOneLeads(elections: readonly Election[]): void {
  assert(elections.filter((election) => election.isLeader).length <= 1, "two lead");
}

function observe(election: Election, signal: AbortSignal): readonly (LeaderInfo | null)[] {
  const seen: (LeaderInfo | null)[] = [];
  const read = async (): Promise<void> => {
    for await (const leader of election.observe({ signal })) seen.push(leader);
  };
  void read();
  return seen;
}
