/**
 * All deliveries of one message in one process. However many there are, one at a
 * time talks to the store:
 *
 *     claim ──mine──────────▶ run the handler of one delivery; the others wait for it
 *       ▲   ──running───────▶ wait for a change, the expiry or a fallback poll ──┐
 *       │   ──finished──────▶ everybody gets the result                          │
 *       └────────────────────────────────────────────────────────────────────────┘
 *
 * Every look at the store is a claim, so whoever waits also bids for the message
 * of a worker that died.
 */

import { equalBytes } from "../../cache/bytes.ts";
import type { Cache } from "../../cache/contract.ts";
import { CodecError, isStoreFault } from "../../cache/errors.ts";
import { type Instant, now } from "../../runtime/instant.ts";
import { Acquisition, type Grant } from "../lease/acquisition.ts";
import { Alarm } from "../lease/alarm.ts";
import { Hints } from "../lease/hints.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { pollMs, retryMs } from "../lease/pace.ts";
import { persist } from "../lease/persist.ts";
import type { Claim } from "../lease/record.ts";
import type { Closable } from "../lease/scope.ts";
import { within } from "../lease/within.ts";
import type { IdempotentHandler } from "./context.ts";
import type { Delivery } from "./delivery.ts";
import type { Report } from "./events.ts";
import { HeldClaim } from "./held-claim.ts";
import type { Memo } from "./memo.ts";
import type { MessageSettings } from "./options.ts";
import { decodeRecord, encodeRecord, type FinishedRecord, type MessageRecord, type RunningRecord } from "./record.ts";
import { type Ending, run } from "./run.ts";

/** For so long a first claim is repeated while the store is at fault. */
const CLAIM_PATIENCE_MS = 1_000;
/** For so long somebody waits for a claim to be given back that stands in the way. */
const CLEAN_UP_PATIENCE_MS = 1_000;

export interface FlightParts<Input, Result> {
  readonly cache: Cache;
  readonly keys: LeaseKeys;
  readonly settings: MessageSettings;
  readonly handler: IdempotentHandler<Input, Result>;
  readonly memo: Memo | undefined;
  readonly report: Report;
  /** Called when nobody waits any more; this flight takes no further delivery then. */
  readonly onLanded: () => void;
}

/** Attempts to claim the message for a certain input. A claim of unknown outcome is repeated as it was. */
interface Bid {
  readonly acquisition: Acquisition<MessageRecord>;
  readonly fingerprint: Uint8Array | undefined;
}

export class Flight<Input, Result> implements Closable {
  readonly #parts: FlightParts<Input, Result>;
  readonly #alarm: Alarm;
  readonly #waiting = new Set<Delivery<Input, Result>>();
  readonly #cleanUps = new Set<Promise<void>>();
  #landing: Promise<void> | undefined;
  #bid: Bid | undefined;
  /** The run of this process, while its claim is held. */
  #own: RunningRecord | undefined;
  /** Somebody else's run, when last looked at. */
  #seen: RunningRecord | undefined;
  /** The number of the next run, as far as is known here. */
  #attempt = 1;
  /** How often in a row the store has failed. */
  #faults = 0;

  constructor(parts: FlightParts<Input, Result>) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.settings.clock);
  }

  join(delivery: Delivery<Input, Result>): void {
    this.#waiting.add(delivery);
    delivery.onLeft = () => {
      this.#waiting.delete(delivery);
      if (this.#waiting.size === 0) this.#alarm.ring();
    };
    if (this.#own) delivery.meet(this.#own);
    else if (this.#seen && delivery.waitsFor(this.#seen)) delivery.meet(this.#seen);
    // What was seen before it came is no reason to reject it: look again.
    else if (this.#faults === 0) this.#alarm.ring();
    this.#landing ??= this.#fly();
  }

  /** Its deliveries are ended and its run is told by their own means; this waits for a claim to be given back. */
  async close(): Promise<void> {
    if (this.#landing) await within(this.#parts.settings.clock, this.#landing, CLEAN_UP_PATIENCE_MS);
  }

  async #fly(): Promise<void> {
    const { cache, keys, settings, onLanded } = this.#parts;
    const hints = new Hints(cache, settings.clock, keys.lease, () => this.#alarm.ring());
    settings.scope?.open.add(this);
    while (this.#waiting.size > 0) {
      this.#alarm.silence();
      const sleepMs = await this.#bidOnce(hints);
      if (sleepMs > 0 && this.#waiting.size > 0) await this.#alarm.sleep(this.#jitter(sleepMs));
    }
    onLanded();
    void this.#withdraw();
    await Promise.all([...this.#cleanUps, hints.end()]);
    settings.scope?.open.delete(this);
  }

  /** Looks at the message, and claims it if it is free. Returns how long to sleep before the next time. */
  async #bidOnce(hints: Hints): Promise<number> {
    const { clock } = this.#parts.settings;
    const [head] = this.#waiting;
    const { fingerprint } = head as Delivery<Input, Result>;
    if (this.#bid && !isSame(this.#bid.fingerprint, fingerprint)) {
      await within(clock, this.#withdraw(), CLEAN_UP_PATIENCE_MS);
      return 0;
    }
    this.#bid ??= this.#newBid(fingerprint);
    const bid = this.#bid;
    const askedAt = now(clock);
    try {
      // Carefully: a duplicate has no business with the fence.
      const outcome = await bid.acquisition.attempt("careful");
      this.#faults = 0;
      if (outcome.kind === "missed") return 1;
      if (outcome.kind === "granted") await this.#won(bid, outcome.grant);
      else if (outcome.by?.state === "running") return await this.#wait(outcome.by, hints);
      else if (outcome.by) this.#finished(outcome.by, askedAt);
      else this.#failAll(this.#unreadable());
      return 0;
    } catch (error) {
      return await this.#failed(error);
    }
  }

  #newBid(fingerprint: Uint8Array | undefined): Bid {
    const { cache, keys, settings } = this.#parts;
    const make = (claim: Claim): RunningRecord => ({
      nonce: claim.nonce,
      fencingToken: claim.fencingToken,
      lastToken: claim.lastToken,
      state: "running",
      attempt: this.#attempt,
      fingerprint,
      startedAtMs: settings.clock.wallMs(),
      ttlMs: settings.timing.ttlMs,
    });
    const format = { make, encode: encodeRecord, decode: decodeRecord };
    return { acquisition: new Acquisition({ cache, keys, format, ...settings }), fingerprint };
  }

  /** The message is ours: runs the handler for a delivery that still wants it. */
  async #won(bid: Bid, grant: Grant<MessageRecord>): Promise<void> {
    this.#bid = undefined;
    const runner = [...this.#waiting].find(({ fingerprint }) => isSame(fingerprint, bid.fingerprint));
    if (runner === undefined) {
      await within(
        this.#parts.settings.clock,
        this.#cleanUp(() => bid.acquisition.giveBack(grant)),
        CLEAN_UP_PATIENCE_MS,
      );
      return;
    }
    // What was granted is what the bid has made.
    await this.#run(runner, grant.record as RunningRecord, grant);
  }

  async #run(
    delivery: Delivery<Input, Result>,
    record: RunningRecord,
    grant: Grant<MessageRecord> | undefined,
  ): Promise<void> {
    const { cache, keys, settings, handler, report } = this.#parts;
    const startedAt = now(settings.clock);
    let onLost = (): void => {};
    const lost = new Promise<Ending>((resolve) => {
      onLost = () => resolve({ kind: "lost" });
    });
    const claim = new HeldClaim({ cache, keys, settings, record, grant, report, onLost });
    this.#own = record;
    this.#seen = undefined;
    this.#attempt = record.attempt + 1;
    delivery.begin();
    for (const other of this.#waiting) other.meet(record);
    report({ type: "claimed", attempt: record.attempt, fencingToken: record.fencingToken });
    const ending = await Promise.race([run({ handler, delivery, claim, record, settings, report }), lost]);
    this.#own = undefined;
    if (ending.kind === "finished") this.#finished(ending.record, startedAt);
  }

  #finished(record: FinishedRecord, since: Instant): void {
    this.#seen = undefined;
    this.#parts.memo?.set(this.#parts.keys.lease, record, since);
    for (const delivery of this.#waiting) delivery.receive(record);
  }

  async #wait(record: RunningRecord, hints: Hints): Promise<number> {
    this.#seen = record;
    this.#attempt = record.attempt + 1;
    for (const delivery of this.#waiting) delivery.meet(record);
    // Once the watch is active, nothing is missed any more: look again before sleeping.
    if (this.#waiting.size === 0 || (await hints.start())) return 0;
    return pollMs(hints.active, record.ttlMs);
  }

  /** An attempt failed, and its outcome may be unknown. */
  async #failed(error: unknown): Promise<number> {
    const { settings, report } = this.#parts;
    if (!isStoreFault(error)) {
      this.#failAll(error);
      return 0;
    }
    report({ type: "store-error", error });
    for (const delivery of this.#waiting) delivery.meetFault(error);
    // Who waits for a run has a limit of its own.
    const impatient = [...this.#waiting].filter((one) => !one.isWaiting && one.elapsedMs >= CLAIM_PATIENCE_MS);
    const [first] = impatient;
    if (first && settings.whenStoreDown === "run") await this.#runUnguarded(first);
    else for (const delivery of impatient) delivery.fail(error);
    return retryMs(this.#faults++);
  }

  async #runUnguarded(delivery: Delivery<Input, Result>): Promise<void> {
    void this.#withdraw();
    const { clock, timing } = this.#parts.settings;
    const record: RunningRecord = {
      state: "running",
      nonce: clock.randomBytes(16),
      fencingToken: 0,
      lastToken: 0,
      attempt: this.#attempt,
      fingerprint: delivery.fingerprint,
      startedAtMs: clock.wallMs(),
      ttlMs: timing.ttlMs,
    };
    await this.#run(delivery, record, undefined);
  }

  #failAll(error: unknown): void {
    for (const delivery of this.#waiting) delivery.fail(error);
  }

  #unreadable(): CodecError {
    const { settings, keys } = this.#parts;
    return new CodecError(
      `idempotent "${settings.name}", key "${keys.name}": the store holds something that is no record of this version; ` +
        "forget() removes it",
      { key: keys.name, operation: "idempotent" },
    );
  }

  /** Takes back what a bid of unknown outcome may have left in the store. */
  async #withdraw(): Promise<void> {
    const acquisition = this.#bid?.acquisition;
    this.#bid = undefined;
    if (acquisition?.uncertain) await this.#cleanUp(() => acquisition.takeBack());
  }

  /** Goes on in the background, however long somebody waits for it. */
  #cleanUp(clear: () => Promise<void>): Promise<void> {
    const cleaning = persist(this.#parts.settings.clock, clear);
    this.#cleanUps.add(cleaning);
    return cleaning.finally(() => this.#cleanUps.delete(cleaning));
  }

  #jitter(ms: number): number {
    return ms * (1 + this.#parts.settings.clock.random() / 4);
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}
