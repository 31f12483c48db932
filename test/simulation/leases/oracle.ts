/**
 * What must be true of locks and terms, judged from outside: from the store's own
 * order of events, from what crossed the network, and from what the user of the
 * library gets to see. It shares no logic with the library.
 */

import { decodeRecord } from "../../../src/primitives/lease/record.ts";
import type { Call } from "../kernel/sim-cache.ts";
import type { Answer, Change, Command } from "../kernel/store.ts";
import { type Process, Violation, type World } from "../kernel/world.ts";
import { Holding, type HoldingOptions, type Tenure } from "./holding.ts";
import { bytesId, describeAnswer, describeCommand, describeValue } from "./trace.ts";

/** How the keys of leases and of their fences begin. */
export interface KeyKinds {
  readonly lease: string;
  readonly fence: string;
}

/** A suspended or set clock is noticed by a look that is taken every second. */
const LOOK_MS = 1_010;
/** How often a message goes one way until a waiter has a lock that became free: stands back, hears of it, tries. */
const LEGS = 9;
const TIMER_MS = 3;
/** Where nothing goes wrong, clean-up is done by then. */
const CALM_MS = 250;
/** Where little does, after the store's limit for an operation and this. */
const MILD_MS = 1_500;
/** A wait goes on soon after a fault of the store. */
const RETRY_MS = 100;
/** Clocks are read in whole milliseconds. */
const CLOCK_GRAIN_MS = 1.1;

export class Oracle {
  readonly #world: World;
  readonly #kinds: KeyKinds;
  readonly #holdings = new Map<string, Holding>();
  readonly #granted = new Map<string, Holding[]>();
  #open: Holding[] = [];
  #violation: string | undefined;
  readonly #resources = new Map<string, { token: number; holding: Holding }>();
  readonly #fenceLosses = new Map<string, number[]>();
  readonly #claims = new Map<string, { task: string; token: number }>();
  /** Records sent by a process in a compare-and-set, and when last. */
  readonly #sent = new Map<string, Call>();
  /** Why the record of a task went away the last time. */
  readonly #departures = new Map<string, Change["cause"]>();
  readonly #reigning = new Map<string, string>();
  readonly #freeSince = new Map<string, number>();
  #installs = 0;
  /** Whether nothing goes wrong in this world, */
  calm = false;
  /** or too little to lose a lock by it. */
  mild = false;
  /** Whether an operation may be given up so late that the lease which it took is over by then. */
  slow = false;
  /** Whether a message may arrive long after it was sent. */
  late = false;
  readonly #refused = new Set<Holding>();
  /** Whether a command may be executed more often than it was answered. */
  doubling: boolean;
  /** Whether all wall clocks are right. */
  wallClocksRight: boolean;

  /** Called for each key of which the store loses something. */
  onLoss: (key: string) => void = () => {};
  /** Called with each change of a key. */
  onChange: (change: Change) => void = () => {};

  constructor(world: World, kinds: KeyKinds) {
    this.#world = world;
    this.#kinds = kinds;
    this.doubling = world.setting.resends;
    this.wallClocksRight = world.setting.wallClocks === "right";
    world.store.onChange = (change) => this.#onChange(change);
    world.store.onLoss = (key) => this.#onLoss(key);
    for (const process of world.processes) this.observe(process);
  }

  observe(process: Process): void {
    process.cache.onCall = (call) => this.#onCall(process, call);
    process.cache.onAnswer = (call, answer) => this.#onAnswer(process, call, answer);
  }

  /** A task begins to wait for a lock. */
  begins(task: string, name: string, process: Process, options: HoldingOptions): Holding {
    const key = `${this.#kinds.lease}{${name}}`;
    const holding = new Holding(task, key, process, this.#world.timeline.nowMs, options);
    this.#holdings.set(idOf(task, key), holding);
    return holding;
  }

  /** A task was given the lock. */
  granted(holding: Holding, tenure: Tenure, token: number): void {
    const before = this.#granted.get(holding.key) ?? [];
    holding.tenure = tenure;
    holding.token = token;
    holding.grantedAtMs = this.#world.timeline.nowMs;
    const install = holding.installs.get(token);
    if (install === undefined) return this.fail(`${holding} was granted token ${token}, which was never in the store`);
    holding.install = install;
    holding.grantedAtMonotonicMs = holding.process.machine.monotonicMs();
    tenure.signal.addEventListener("abort", () => this.#onSignal(holding));
    this.#world.log(() => `GRANTED  ${holding} token ${token} order ${install.order}`);
    if (token > 0) {
      for (const other of before) if (other.token > 0) this.#checkTokens(other, holding);
    }
    this.#granted.set(holding.key, [...before, holding]);
    this.#open.push(holding);
  }

  /** Where little goes wrong, who waits for a lock has it soon after it could. */
  checkSoon(holding: Holding): void {
    const { install, startedAtMs, firstInstalledAtMs = 0, grantedAtMs = 0 } = holding;
    const { maxDelayMs, operationLimitMs } = this.#world.setting;
    if (this.calm && install.freeSinceMs !== undefined) {
      const waitedMs = install.atMs - Math.max(install.freeSinceMs, startedAtMs);
      if (waitedMs > LEGS * maxDelayMs + TIMER_MS) {
        this.fail(`${holding} took a lock that had been free for ${waitedMs.toFixed(2)} ms`);
      }
    }
    const orphanedMs = grantedAtMs - firstInstalledAtMs;
    if (this.mild && !this.slow && orphanedMs > operationLimitMs + 2 * LEGS * maxDelayMs + RETRY_MS) {
      this.fail(`${holding} was granted the lock ${orphanedMs.toFixed(2)} ms after its record was in the store`);
    }
  }

  /** The user does not rely on the lock any more. */
  gaveBack(holding: Holding): void {
    holding.ended = true;
    this.#world.log(() => `ENDED    ${holding}`);
  }

  /** A write with a token has reached the resource, which refuses lower tokens. */
  write(holding: Holding, token: number): void {
    const seen = this.#resources.get(holding.key);
    if (seen !== undefined && token < seen.token) return;
    if (seen !== undefined && seen.holding.order > holding.order && !this.#mayRunAgainst(holding, seen.holding)) {
      this.fail(
        `the resource accepted a write of ${holding} (token ${token}) after one of ${seen.holding} (${seen.token})`,
      );
    }
    this.#resources.set(holding.key, { token, holding });
  }

  /** The library says that a lock was lost because somebody else has its record. */
  foundTaken(holding: Holding): void {
    const { key, task } = holding;
    if (holding.tainted) return;
    const value = this.#world.store.get(key);
    if (value !== undefined && this.#claimOf(value).task === task) {
      this.fail(`${holding} was declared lost, but the store still holds its record`);
    }
    if (!this.doubling && this.#departures.get(idOf(task, key)) === "command") {
      this.fail(`${holding} was declared lost, but nobody had taken it: it was given back in time`);
    }
  }

  /** How many locks were granted. */
  get grants(): number {
    let count = 0;
    for (const granted of this.#granted.values()) count += granted.length;
    return count;
  }

  /** Takes down that a promise was broken; the next check tells. */
  fail(message: string): void {
    this.#world.log(() => `VIOLATED ${message}`);
    this.#violation ??= message;
  }

  /** Called whenever something has happened in a process. */
  check(): void {
    this.#open = this.#open.filter((holding) => holding.open);
    for (const holding of this.#open) this.#checkAlone(holding);
    for (const holding of this.#refused) {
      if (this.#isHeld(holding)) this.fail(`${holding} is held although its renewal was refused`);
    }
    this.#refused.clear();
    for (const key of new Set(this.#open.map((holding) => holding.key))) {
      const open = this.#open.filter((holding) => holding.key === key);
      if (open.length > 1) this.#checkExclusion(open);
    }
    if (this.#violation !== undefined) throw new Violation(this.#violation);
  }

  #checkAlone(holding: Holding): void {
    if (!holding.process.machine.awake) return;
    const overForMs = -holding.sureForMs;
    if (overForMs > 0 && !holding.signalled && !isDisturbed(holding)) {
      this.fail(`the signal of ${holding} has not fired ${overForMs.toFixed(2)} ms after its time was over`);
    }
    // Asking makes the lock notice that it is lost, so not before its timers had their chance.
    if (overForMs <= 0 && !holding.seenLost) return;
    if (this.#isHeld(holding)) {
      const why = holding.seenLost ? "it had been seen lost" : `its time was over for ${overForMs.toFixed(2)} ms`;
      this.fail(`${holding} claims to be held, but ${why}`);
    }
  }

  /** Asks the lock, which may make it notice that it is lost, and its user act on that. */
  #isHeld(holding: Holding): boolean {
    const held = holding.tenure?.isHeld() === true;
    if (!held && !holding.seenLost) {
      holding.seenLost = true;
      this.#world.dirty = true;
    }
    return held;
  }

  /** Nobody who runs may rely on a lock that somebody else relies on. */
  #checkExclusion(open: readonly Holding[]): void {
    const relying = open.filter((holding) => {
      if (!holding.process.machine.awake) return false;
      const held = this.#isHeld(holding);
      return !holding.tainted && (held || (!holding.signalled && !isDisturbed(holding)));
    });
    if (relying.length > 1) this.fail(`held by two at once: ${relying.join(" and ")}`);
  }

  #onSignal(holding: Holding): void {
    holding.signalled = true;
    const lateMs = -holding.sureForMs;
    this.#world.log(() => `SIGNAL   ${holding} (${(-lateMs).toFixed(2)} ms before its end)`);
    if (lateMs > 0 && !isDisturbed(holding) && !holding.ended) {
      this.fail(`the signal of ${holding} fired ${lateMs.toFixed(2)} ms after its time was over`);
    }
  }

  #checkTokens(a: Holding, b: Holding): void {
    const [earlier, later] = a.order < b.order ? [a, b] : [b, a];
    if (earlier.token < later.token || this.#mayRunAgainst(earlier, later)) return;
    this.fail(
      `token ${later.token} of ${later} is not above ${earlier.token} of ${earlier}, which had the lock before`,
    );
  }

  /**
   * Whether the order of two tokens may be lost: the fence was, and the clock,
   * which then takes over, was not right or not far enough.
   */
  #mayRunAgainst(earlier: Holding, later: Holding): boolean {
    const from = earlier.startedAtMs;
    const to = later.grantedAtMs ?? Number.POSITIVE_INFINITY;
    const lost = (this.#fenceLosses.get(this.#fenceOf(earlier.key)) ?? []).filter((at) => from <= at && at <= to);
    if (lost.length === 0) return false;
    const granted = earlier.grantedAtMs ?? Number.POSITIVE_INFINITY;
    const clear = lost.every((at) => granted < at && at < later.startedAtMs);
    return !(this.wallClocksRight && clear && later.startedAtMs > granted + CLOCK_GRAIN_MS);
  }

  #onCall(process: Process, call: Call): void {
    const { command } = call;
    this.#world.log(() => `${process.index} calls ${describeCommand(command)}`);
    if (command.name !== "compareAndSet" || !command.next || !command.key.startsWith(this.#kinds.lease)) return;
    // That the bytes of a renewal are there says nothing: they were before.
    const isRenewal = command.expected !== null && bytesId(command.expected) === bytesId(command.next);
    if (!isRenewal) this.#sent.set(bytesId(command.next), call);
  }

  #onAnswer(process: Process, call: Call, answer: Answer): void {
    const { command } = call;
    this.#world.log(() => `${process.index} hears ${describeCommand(command)} → ${describeAnswer(answer)}`);
    if (!command.key.startsWith(this.#kinds.lease)) return;
    if (command.name === "getOrSet" && typeof answer === "object" && "wasSet" in answer && answer.wasSet) {
      this.#acknowledge(command.key, command.value, command.ttlMs, call);
    }
    if (command.name === "compareAndSet" && command.next && answer === true) {
      this.#acknowledge(command.key, command.next, command.ttlMs, call);
    }
    if (command.name === "compareAndSet" && answer === false) this.#onRefused(command);
    // A compare-and-set that seemed to fail, but whose value is there, was executed.
    if (command.name === "get" && answer instanceof Uint8Array) {
      const sent = this.#sent.get(bytesId(answer));
      if (sent?.command.name === "compareAndSet") this.#acknowledge(command.key, answer, sent.command.ttlMs, sent);
      this.#sent.delete(bytesId(answer));
    }
  }

  /** A renewal was refused: the lock is lost, now. */
  #onRefused({ key, expected, next }: Extract<Command, { name: "compareAndSet" }>): void {
    if (expected === null || next === null || bytesId(expected) !== bytesId(next)) return;
    const { task, token } = this.#claimOf(expected);
    const holding = this.#holdings.get(idOf(task, key));
    // The answer may be late, and about a term that the same candidate had before.
    if (holding?.open && holding.token === token && !holding.isExtended) this.#refused.add(holding);
  }

  #acknowledge(key: string, bytes: Uint8Array, ttlMs: number, call: Call): void {
    this.#holdings.get(idOf(this.#claimOf(bytes).task, key))?.acknowledge(bytesId(bytes), call.sentAt, ttlMs);
  }

  #onChange({ key, value, cause }: Change): void {
    this.#world.log(() => `         STORE ${key} = ${value ? describeValue(value) : "absent"} (${cause})`);
    this.onChange({ key, value, cause });
    if (!key.startsWith(this.#kinds.lease)) return;
    const next = value && this.#claimOf(value);
    const before = this.#reigning.get(key);
    if (before !== undefined && before !== next?.task) this.#departures.set(idOf(before, key), cause);
    if (before !== undefined && cause === "expired") this.#onExpired(idOf(before, key));
    const atMs = this.#world.timeline.nowMs;
    if (next === undefined) {
      this.#reigning.delete(key);
      this.#freeSince.set(key, atMs);
      return;
    }
    this.#reigning.set(key, next.task);
    const freeSinceMs = before === undefined ? (this.#freeSince.get(key) ?? 0) : undefined;
    const install = { order: ++this.#installs, atMs, freeSinceMs };
    const holding = this.#holdings.get(idOf(next.task, key));
    if (holding === undefined) return;
    holding.firstInstalledAtMs ??= atMs;
    holding.installs.set(next.token, install);
  }

  /** Where little goes wrong, only a holder that wants it so leaves its record to the end of the TTL. */
  #onExpired(id: string): void {
    const holding = this.#holdings.get(id);
    const doneAtMs = holding?.settledAtMs;
    const graceMs = this.calm ? CALM_MS : 2 * this.#world.setting.operationLimitMs + MILD_MS;
    if (
      (this.calm || (this.mild && !this.late)) &&
      doneAtMs !== undefined &&
      this.#world.timeline.nowMs > doneAtMs + graceMs
    ) {
      this.fail(`${holding} has left its record in the store`);
    }
  }

  #onLoss(key: string): void {
    if (key.startsWith(this.#kinds.fence)) {
      this.#fenceLosses.set(key, [...(this.#fenceLosses.get(key) ?? []), this.#world.timeline.nowMs]);
    }
    this.onLoss(key);
    for (const holding of this.#holdings.values()) if (holding.key === key) holding.tainted = true;
  }

  #fenceOf(key: string): string {
    return this.#kinds.fence + key.slice(this.#kinds.lease.length);
  }

  #claimOf(bytes: Uint8Array): { task: string; token: number } {
    const id = bytesId(bytes);
    let claim = this.#claims.get(id);
    if (claim === undefined) {
      const record = decodeRecord(bytes);
      if (record === undefined) this.fail("a lease key holds something that is no record");
      claim = { task: String(record?.metadata), token: record?.fencingToken ?? 0 };
      this.#claims.set(id, claim);
    }
    return claim;
  }
}

/** Whether its machine has slept, been paused or had its clock set so recently that a timer may not have noticed. */
function isDisturbed({ process: { machine } }: Holding): boolean {
  return machine.monotonicMs() - machine.disturbedAtMs < LOOK_MS;
}

function idOf(task: string, key: string): string {
  return `${task} ${key}`;
}
