import { getEventListeners } from "node:events";
import { ClosedError, isStoreFault } from "../../../src/cache/errors.ts";
import type { LeaseEvent } from "../../../src/primitives/lease/events.ts";
import { Scope } from "../../../src/primitives/lease/scope.ts";
import { acquireLock, tryAcquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { LockLostError, LockTimeoutError } from "../../../src/primitives/lock/errors.ts";
import { fenceGate, StaleFenceError } from "../../../src/primitives/lock/fence-gate.ts";
import type { Lock } from "../../../src/primitives/lock/lock.ts";
import type { LockOptions } from "../../../src/primitives/lock/options.ts";
import { withLock } from "../../../src/primitives/lock/with-lock.ts";
import { sleep } from "../../../src/runtime/clock.ts";
import { elapsedMs, type Instant, now } from "../../../src/runtime/instant.ts";
import type { Process, World } from "../kernel/world.ts";
import type { Holding } from "../leases/holding.ts";
import type { Oracle } from "../leases/oracle.ts";
import type { Gates } from "./gates.ts";
import type { Task } from "./schedule.ts";

const NAMES = ["a", "b"] as const;
const SLICES = 3;
/** Where nothing goes wrong, what a process does in the background is done by then. */
const CLEAN_UP_MS = 300;
/** Timers run up to a millisecond early or late. */
const TIMER_ERROR_MS = 1.5;
/** How much the rates of two clocks may differ. */
const CLOCK_DRIFT = 0.01;

/** What one process does. */
export class Worker {
  readonly process: Process;
  readonly world: World;
  readonly oracle: Oracle;
  readonly gates: Gates;
  /** Tasks that have not settled. */
  readonly running: Set<string> = new Set();
  /** Those who wait in line for a lock, first come first. */
  readonly waiting: Map<string, string> = new Map();
  scope: Scope = new Scope();
  #idleSinceMs = 0;

  constructor(world: World, oracle: Oracle, gates: Gates, process: Process) {
    this.world = world;
    this.oracle = oracle;
    this.gates = gates;
    this.process = process;
  }

  /** Closes the coordinator; the next tasks have another one. */
  close(): void {
    const closing = this.scope;
    this.scope = new Scope();
    void closing.close(new ClosedError("closed"));
  }

  start(id: string, task: Task): void {
    this.running.add(id);
    void new Run(this, id, task).run().finally(() => {
      this.running.delete(id);
      const { timeline } = this.world;
      const idleSinceMs = timeline.nowMs;
      this.#idleSinceMs = idleSinceMs;
      if (this.oracle.calm) timeline.after(CLEAN_UP_MS, () => this.#checkIdle(idleSinceMs));
    });
  }

  #checkIdle(sinceMs: number): void {
    const { index, machine } = this.process;
    if (this.running.size > 0 || this.#idleSinceMs !== sinceMs) return;
    if (machine.timers > 0) this.oracle.fail(`process ${index} has left a timer`);
  }
}

/** One task, and what is checked about how it ends. */
class Run {
  readonly #worker: Worker;
  readonly #id: string;
  readonly #task: Task;
  readonly #scope: Scope;
  readonly #abort = new AbortController();
  /** What its work throws. */
  readonly #failure = new Error("the work failed");
  readonly #holdings: Map<string, Holding>;
  readonly #startedAt: Instant;
  #abortedMs = Number.NaN;
  /** Whether the lock was held when the work had finished; `undefined`: it has not. */
  #heldToTheEnd: boolean | undefined;

  constructor(worker: Worker, id: string, task: Task) {
    this.#worker = worker;
    this.#id = id;
    this.#task = task;
    this.#scope = worker.scope;
    this.#startedAt = now(worker.process.machine);
    const names = task.task === "both" ? NAMES : [NAMES[task.key]];
    const options = { maxHoldMs: task.maxHoldMs, isExtended: task.extendToMs.length > 0 };
    this.#holdings = new Map(names.map((name) => [name, worker.oracle.begins(id, name, worker.process, options)]));
  }

  async run(): Promise<void> {
    const { machine } = this.#worker.process;
    const { abortAfterMs } = this.#task;
    const timer = machine.setTimer(() => {
      this.#abortedMs = machine.monotonicMs();
      this.#abort.abort(new Error("gave up"));
    }, abortAfterMs ?? Number.POSITIVE_INFINITY);
    if (this.#waits) this.#worker.waiting.set(this.#id, NAMES[this.#task.key]);
    try {
      await this.#takeAndWork();
    } catch (error) {
      this.#worker.world.log(() => `REJECTED ${this.#id}: ${error}`);
      if (this.#heldToTheEnd === undefined) this.#checkRefusal(error);
      else this.#checkLoss(error);
    } finally {
      this.#worker.waiting.delete(this.#id);
      machine.clearTimer(timer);
      for (const holding of this.#holdings.values()) holding.settledAtMs = this.#worker.world.timeline.nowMs;
    }
    const listeners = getEventListeners(this.#abort.signal, "abort").length;
    if (listeners > 0) this.#fail(`has left ${listeners} listeners on its caller's signal`);
  }

  async #takeAndWork(): Promise<void> {
    const { cache } = this.#worker.process;
    const { task, key } = this.#task;
    const name = NAMES[key];
    const options = this.#options();
    if (task === "withLock") {
      this.#checkSuccess(await withLock(cache, name, (lock) => this.#work([lock]), options));
    } else if (task === "both") {
      this.#checkSuccess(await withLock(cache, NAMES, (set) => this.#work(set.locks), options));
    } else {
      const lock =
        task === "try" ? await tryAcquireLock(cache, name, options) : await acquireLock(cache, name, options);
      if (lock === null) return;
      await this.#work([lock]).catch(() => {});
      await this.#release(lock);
    }
  }

  #options(): LockOptions {
    const { ttlMs, waitMs, renew, fencing, maxHoldMs, abortAfterMs } = this.#task;
    return {
      ttlMs,
      waitMs,
      renew,
      fencing,
      ...(maxHoldMs === undefined ? {} : { maxHoldMs }),
      ...(abortAfterMs === undefined ? {} : { signal: this.#abort.signal }),
      holder: `process ${this.#worker.process.index}`,
      metadata: this.#id,
      clock: this.#worker.process.machine,
      scope: this.#scope,
      observer: (event) => this.#onEvent(event),
    };
  }

  #onEvent(event: LeaseEvent): void {
    const holding = this.#holdings.get(event.name);
    if (event.type !== "lost") return;
    this.#worker.world.log(() => `LOST     ${holding}: ${event.reason}`);
    if (this.#worker.oracle.mild && this.#task.renew && event.reason !== "max-hold" && !this.#scope.closed) {
      this.#fail(`has lost its lock (${event.reason}) although too little went wrong`);
    }
    if (event.reason === "taken" && holding) this.#worker.oracle.foundTaken(holding);
  }

  async #work(locks: readonly Lock[]): Promise<string> {
    this.#begin(locks);
    const { machine } = this.#worker.process;
    const { workMs, stubborn, throws } = this.#task;
    for (let slice = 0; slice < SLICES; slice++) {
      await sleep(machine, workMs / SLICES, stubborn ? undefined : locks[0]?.signal);
      if (!stubborn && locks.some((lock) => lock.signal.aborted)) break;
      for (const lock of locks) this.#write(lock);
      if (slice === 0) for (const lock of locks) await this.#passGate(lock);
      await this.#extend(locks, this.#task.extendToMs[slice]);
    }
    this.#heldToTheEnd = locks.every((lock) => lock.isHeld());
    for (const holding of this.#holdings.values()) this.#worker.oracle.gaveBack(holding);
    if (throws) throw this.#failure;
    return this.#id;
  }

  async #extend(locks: readonly Lock[], ttlMs: number | undefined): Promise<void> {
    if (ttlMs === undefined) return;
    // It may fail for every reason that there is.
    const extended = Promise.all(locks.map((lock) => lock.extend(ttlMs))).catch(() => {});
    if (!this.#task.hasty) await extended;
  }

  #begin(locks: readonly Lock[]): void {
    const { waiting } = this.#worker;
    if (this.#abort.signal.aborted && this.#waits) {
      this.#fail("was granted the lock after it had given up");
    }
    for (const lock of locks) {
      const holding = this.#holdings.get(lock.key) as Holding;
      this.#worker.oracle.granted(holding, lock, this.#task.fencing ? lock.fencingToken : 0);
    }
    if (this.#waits) for (const holding of this.#holdings.values()) this.#worker.oracle.checkSoon(holding);
    const name = waiting.get(this.#id);
    const first = [...waiting].find(([, waitsFor]) => waitsFor === name)?.[0];
    if (name !== undefined && first !== this.#id) this.#fail(`was served before ${first}, which came first`);
    waiting.delete(this.#id);
  }

  /** Writes to what the lock protects, over a network of its own. */
  #write(lock: Lock): void {
    const { process, world, oracle } = this.#worker;
    if (!this.#task.fencing) return;
    const holding = this.#holdings.get(lock.key) as Holding;
    const token = lock.fencingToken;
    world.timeline.after(process.network.delayMs(), () => oracle.write(holding, token));
  }

  /** Shows its token to a gate, which may be out of reach, but must not let a token in after a higher one. */
  async #passGate(lock: Lock): Promise<void> {
    if (!this.#task.fencing) return;
    const { process, gates } = this.#worker;
    const token = lock.fencingToken;
    const check = gates.shown(lock.key, token);
    try {
      await fenceGate(process.cache, lock.key).admit(token);
      check("admitted");
    } catch (error) {
      if (error instanceof StaleFenceError) check("refused");
      else if (!isStoreFault(error)) this.#fail(`could not pass the gate: ${error}`);
    }
  }

  async #release(lock: Lock): Promise<void> {
    const [released, again] = await Promise.all([lock.release(), lock.release()]);
    if (released !== again) this.#fail("was told two different things by two calls of release");
    // A coordinator that closes gives back what is held, before its user does.
    const wrong = released ? !this.#heldToTheEnd && !this.#scope.closed : this.#heldToTheEnd && !this.#mayBeUnsure();
    if (wrong) {
      this.#fail(`was told ${released} by release, but it was ${this.#heldToTheEnd ? "" : "not "}held to the end`);
    }
    if (lock.isHeld()) this.#fail("still holds a lock that it has given back");
  }

  #checkSuccess(result: string): void {
    if (this.#task.throws) this.#fail("threw an error that got lost");
    if (result !== this.#id) this.#fail("was given the result of another task");
    if (!this.#heldToTheEnd) this.#fail("succeeded although its lock was lost before its work had finished");
  }

  /** The work had ended, and the task failed all the same. */
  #checkLoss(error: unknown): void {
    if (error === this.#failure) return;
    if (this.#task.throws) return this.#fail(`threw an error, and got ${error} instead`);
    if (!(error instanceof LockLostError)) return this.#fail(`finished its work, then failed with ${error}`);
    if (error.result !== this.#id) this.#fail("lost the result of its work");
    if (this.#heldToTheEnd && !this.#mayBeUnsure())
      this.#fail(`was held to the end, then failed with ${error.message}`);
  }

  /** Whether the answer to a release may look as if the lock had been lost. */
  #mayBeUnsure(): boolean {
    const { oracle } = this.#worker;
    return oracle.doubling || [...this.#holdings.values()].some((each) => each.tainted || each.sureForMs < 0);
  }

  /** It has waited as long as it was to. */
  #checkPatience(waitMs: number): void {
    const { machine } = this.#worker.process;
    const waitedMs = elapsedMs(machine, this.#startedAt);
    // Several locks share one wait, and have a timer each; after a suspension the clock of the one may run faster
    // than the clock of the other.
    const drift = machine.disturbedAtMs > this.#startedAt.monotonicMs ? CLOCK_DRIFT : 0;
    const leastMs = waitMs * (1 - drift) - TIMER_ERROR_MS * this.#holdings.size;
    if (waitedMs < leastMs) this.#fail(`waited only ${waitedMs} of ${waitMs} ms`);
  }

  /** The lock was not granted. */
  #checkRefusal(error: unknown): void {
    const { task, waitMs } = this.#task;
    const waits = this.#waits;
    if (error === this.#abort.signal.reason) {
      if (waits) this.#checkPrompt(this.#abortedMs, "its caller gave up");
    } else if (error instanceof LockTimeoutError) {
      this.#checkPatience(waitMs);
      if (waits) this.#checkPrompt(this.#startedAt.monotonicMs + waitMs, "its wait was over");
    } else if (error instanceof ClosedError) {
      if (!this.#scope.closed) this.#fail("was told that its coordinator is closed");
    } else if (waits || !(isStoreFault(error) || (task === "both" && error instanceof LockLostError))) {
      this.#fail(`failed with ${error}`);
    }
  }

  /** Whether it stands in line: then no fault of the store may end its wait. */
  get #waits(): boolean {
    const { task, waitMs } = this.#task;
    return waitMs > 0 && (task === "acquire" || task === "withLock");
  }

  #checkPrompt(dueMs: number, why: string): void {
    const { machine } = this.#worker.process;
    const lateMs = machine.monotonicMs() - dueMs;
    if (lateMs > TIMER_ERROR_MS && machine.disturbedAtMs < dueMs) this.#fail(`went on for ${lateMs} ms after ${why}`);
  }

  #fail(what: string): void {
    this.#worker.oracle.fail(`${this.#id} ${what}`);
  }
}
