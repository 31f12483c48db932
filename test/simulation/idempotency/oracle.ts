import { decodeRecord, type MessageRecord } from "../../../src/primitives/idempotency/record.ts";
import type { Change } from "../kernel/store.ts";
import { type Process, Violation, type World } from "../kernel/world.ts";

/** One call of a handler. */
export interface Run {
  readonly id: string;
  /** The key in the store. */
  readonly key: string;
  readonly payload: number;
  readonly process: Process;
  readonly signal: AbortSignal;
  ended: boolean;
}

/** A lease looks at its clocks this often, so a machine that slept notices within that. */
const LOOK_MS = 1_010;

/**
 * Knows from outside of the library what must not happen:
 *
 * - two runs for one message at once, of which neither has been told to stop;
 * - a run while the store holds no claim for it, or a result;
 * - a record that is replaced by anybody but its owner: results and claims are
 *   overwritten by nobody, and go by their TTL alone;
 * - a value that no run of the message and the payload has returned.
 *
 * A store that loses what it acknowledged can break the first three promises;
 * then only the last is held against the library.
 */
export class Oracle {
  readonly #world: World;
  readonly #lossy: boolean;
  readonly #open = new Set<Run>();
  readonly #returned = new Map<string, Run>();
  /** The runs whose results were ever in the store. */
  readonly #recorded = new Set<string>();
  readonly #records = new Map<string, MessageRecord>();
  /** Since when two runs overlap, by true time. */
  #overlaps: ReadonlyMap<string, number> = new Map();
  #violation: string | undefined;
  runs = 0;

  constructor(world: World, lossy: boolean) {
    this.#world = world;
    this.#lossy = lossy;
    world.store.onChange = (change) => this.#onChange(change);
  }

  begins(run: Run): void {
    this.runs += 1;
    this.#open.add(run);
    this.#world.log(() => `RUN      ${run.id} of ${run.key} in process ${run.process.index}`);
    const record = this.#world.store.get(run.key);
    if (this.#lossy || run.process.machine.dead) return;
    const state = record && decodeRecord(record)?.state;
    if (state !== "running")
      this.fail(`${run.id} of ${run.key} begins although the store holds ${state ?? "no claim"}`);
  }

  ends(run: Run, how: "returned" | "threw"): void {
    run.ended = true;
    this.#open.delete(run);
    if (how === "returned") this.#returned.set(run.id, run);
    this.#world.log(() => `END      ${run.id} ${how}`);
  }

  /** A delivery was given a value. */
  delivered(id: string, key: string, payload: number): void {
    const run = this.#returned.get(id);
    if (run === undefined) return this.fail(`a delivery of ${key} was given ${id}, which no run has returned`);
    if (run.key !== key || run.payload !== payload) {
      this.fail(`a delivery of ${key} with payload ${payload} was given what ${run.id} returned for ${run.payload}`);
    }
  }

  /** The library says that the result of a run is not recorded because its claim was lost. */
  declaredLost(id: string): void {
    if (!this.#lossy && this.#recorded.has(id)) this.fail(`${id} was declared lost, but its result was recorded`);
  }

  /** The library says, by saying nothing else, that the result of a run is recorded. */
  declaredRecorded(id: string): void {
    if (!this.#lossy && !this.#recorded.has(id)) this.fail(`${id} was executed, but its result was never recorded`);
  }

  fail(message: string): void {
    this.#world.log(() => `VIOLATED ${message}`);
    this.#violation ??= message;
  }

  /** Called whenever something has happened in a process. */
  check(): void {
    if (!this.#lossy) this.#checkExclusion();
    if (this.#violation !== undefined) throw new Violation(this.#violation);
  }

  #checkExclusion(): void {
    const relying = new Map<string, Run>();
    const overlaps = new Map<string, number>();
    for (const run of this.#open) {
      if (!isRelying(run)) continue;
      const other = relying.get(run.key);
      relying.set(run.key, run);
      if (other === undefined) continue;
      // At one instant, a machine may just be waking up.
      const overlap = `${other.id} and ${run.id} run for ${run.key} at once, and neither was told to stop`;
      const sinceMs = this.#overlaps.get(overlap) ?? this.#world.timeline.nowMs;
      if (sinceMs < this.#world.timeline.nowMs) this.fail(overlap);
      overlaps.set(overlap, sinceMs);
    }
    this.#overlaps = overlaps;
  }

  #onChange({ key, value, cause }: Change): void {
    if (!key.startsWith("idem:")) return;
    const before = this.#records.get(key);
    const after = value && decodeRecord(value);
    this.#world.log(() => `         STORE ${key} = ${after ? describe(after) : "absent"} (${cause})`);
    if (after) this.#records.set(key, after);
    else this.#records.delete(key);
    if (value && !after) this.fail(`${key} holds something that is no record`);
    if (after?.state === "completed" && "bytes" in after.result) {
      this.#recorded.add(
        Buffer.from(after.result.bytes)
          .toString("latin1")
          .match(/run \d+/)?.[0] ?? "",
      );
    }
    if (cause === "command" && before) this.#checkReplaced(key, before, after);
  }

  #checkReplaced(key: string, before: MessageRecord, after: MessageRecord | undefined): void {
    if (before.state !== "running") return this.fail(`the result of ${key} was ${after ? "overwritten" : "removed"}`);
    if (after && !Buffer.from(after.nonce).equals(before.nonce)) this.fail(`a claim of ${key} was overwritten`);
  }
}

/** Whether its handler may well believe that it is the only one. */
function isRelying({ process: { machine }, signal, ended }: Run): boolean {
  if (ended || signal.aborted || !machine.awake) return false;
  return machine.monotonicMs() - machine.disturbedAtMs >= LOOK_MS;
}

function describe({ state, attempt, nonce }: MessageRecord): string {
  return `<${state} ${attempt} ${Buffer.from(nonce).toString("hex").slice(0, 6)}>`;
}
