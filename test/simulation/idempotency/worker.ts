import { getEventListeners } from "node:events";
import { ClosedError, isStoreFault } from "../../../src/cache/errors.ts";
import type { IdempotentContext } from "../../../src/primitives/idempotency/context.ts";
import {
  IdempotencyInProgressError,
  IdempotencyLostError,
  IdempotencyMismatchError,
} from "../../../src/primitives/idempotency/errors.ts";
import { type Idempotent, idempotent } from "../../../src/primitives/idempotency/idempotent.ts";
import { messageKeys } from "../../../src/primitives/idempotency/names.ts";
import { Scope } from "../../../src/primitives/lease/scope.ts";
import { sleep } from "../../../src/runtime/clock.ts";
import type { Process, World } from "../kernel/world.ts";
import type { Oracle, Run } from "./oracle.ts";
import type { Schedule, Task, Work } from "./schedule.ts";

const NAME = "ship";
const KEYS = ["a", "b"] as const;
const SLICES = 4;
/** Longer than any schedule: results do not expire. */
const RESULT_TTL_MS = 86_400_000;

interface Input {
  readonly key: string;
  readonly payload: number;
  readonly work: Work;
}

/** What one process does. */
export class Worker {
  readonly process: Process;
  /** Deliveries that have not settled. */
  readonly running: Set<string> = new Set();
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #schedule: Schedule;
  #scope = new Scope();
  #guarded: Idempotent<Input, string>;
  /** Runs of which the library has said that their result may not be recorded. */
  readonly #unrecorded = new Set<string>();

  constructor(world: World, oracle: Oracle, process: Process, schedule: Schedule) {
    this.#world = world;
    this.#oracle = oracle;
    this.process = process;
    this.#schedule = schedule;
    this.#guarded = this.#guard();
  }

  /** Closes the coordinator; the next deliveries go to another one. */
  close(): void {
    const closing = this.#scope;
    this.#scope = new Scope();
    this.#guarded = this.#guard();
    void closing.close(new ClosedError("closed"));
  }

  start(id: string, task: Task): void {
    this.running.add(id);
    void this.#deliver(id, task).finally(() => this.running.delete(id));
  }

  #guard(): Idempotent<Input, string> {
    const { leaseTtlMs, maxRunMs, fencing, memo } = this.#schedule;
    return idempotent(this.process.cache, (input: Input, context) => this.#handle(input, context), {
      name: NAME,
      key: ({ key }) => key,
      fingerprint: ({ payload }) => payload,
      resultTtlMs: RESULT_TTL_MS,
      leaseTtlMs,
      ...(maxRunMs === undefined ? {} : { maxRunMs }),
      fencing,
      memo,
      onError: (error) => ((error as Error).message.endsWith("for good") ? "store" : "release"),
      observer: (event) => {
        if (event.type === "lost" && event.reason === "unrecorded") this.#unrecorded.add(event.key);
      },
      clock: this.process.machine,
      scope: this.#scope,
    });
  }

  async #handle({ key, payload, work }: Input, { signal }: IdempotentContext): Promise<string> {
    const { machine } = this.process;
    const id = `run ${this.#oracle.runs + 1}`;
    const run: Run = { id, key: messageKeys(NAME, key).lease, payload, process: this.process, signal, ended: false };
    this.#oracle.begins(run);
    for (let slice = 0; slice < SLICES; slice++) {
      if (signal.aborted && !work.stubborn) break;
      await sleep(machine, work.ms / SLICES, work.stubborn ? undefined : signal);
    }
    const returns = work.end === "returns" && (work.stubborn || !signal.aborted);
    this.#oracle.ends(run, returns ? "returned" : "threw");
    if (!returns) throw new Error(`${id} ${work.end}`);
    return id;
  }

  async #deliver(id: string, { key: index, payload, waitMs, abortAfterMs, work }: Task): Promise<void> {
    const { machine } = this.process;
    const key = KEYS[index];
    const abort = new AbortController();
    const timer = machine.setTimer(() => abort.abort(new Error("gave up")), abortAfterMs ?? Number.POSITIVE_INFINITY);
    try {
      const call = this.#guarded.outcome({ key, payload, work }, { waitMs, signal: abort.signal });
      const { outcome, value } = await call;
      this.#world.log(() => `SETTLED  ${id}: ${outcome} ${value}`);
      this.#oracle.delivered(value, messageKeys(NAME, key).lease, payload);
      if (outcome === "executed" && !this.#unrecorded.has(key)) this.#oracle.declaredRecorded(value);
    } catch (error) {
      this.#world.log(() => `REJECTED ${id}: ${error}`);
      this.#checkRejection(id, error, abort.signal);
    } finally {
      machine.clearTimer(timer);
    }
    const listeners = getEventListeners(abort.signal, "abort").length;
    if (listeners > 0) this.#oracle.fail(`${id} has left ${listeners} listeners on its caller's signal`);
  }

  #checkRejection(id: string, error: unknown, signal: AbortSignal): void {
    if (error instanceof IdempotencyLostError && typeof error.result === "string") {
      this.#oracle.declaredLost(error.result);
      return;
    }
    const isKnown =
      error instanceof IdempotencyInProgressError ||
      error instanceof IdempotencyMismatchError ||
      error instanceof ClosedError ||
      isStoreFault(error) ||
      error === signal.reason ||
      /^run \d+ /.test((error as Error).message);
    if (!isKnown) this.#oracle.fail(`${id} was rejected with ${error}`);
  }
}
