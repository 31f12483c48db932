import type { Coordinator } from "../../../src/coordinator.ts";
import type { IdempotentContext } from "../../../src/primitives/idempotency/context.ts";
import { IdempotencyLostError } from "../../../src/primitives/idempotency/errors.ts";
import type { IdempotencyEvent } from "../../../src/primitives/idempotency/events.ts";
import type { Idempotent } from "../../../src/primitives/idempotency/idempotent.ts";
import { nowMs } from "../../support/shared-clock.ts";
import type { RunEnd } from "../journal.ts";
import { noteGrant, work } from "./holding.ts";
import type { Delivery } from "./settings.ts";
import type { Worker } from "./worker.ts";

const GUARD = "ship";
const WAIT_MS = 4_000;

/** What the handler gives: the run that it was, by name. */
type RunName = string;

interface Running {
  readonly id: number;
  end: RunEnd;
}

/** Handles the messages that are delivered to this process, in a guarded handler whose runs have an effect outside. */
export class Messages {
  readonly #worker: Worker;
  readonly #handle: Idempotent<Delivery, RunName>;
  readonly #underWay = new Set<Promise<void>>();
  /** The run that a delivery has led to, until it has settled. */
  readonly #runs = new Map<Delivery, Running>();
  /** The last run for a message in this process. */
  readonly #latest = new Map<string, Running>();

  constructor(worker: Worker, hold: Coordinator) {
    this.#worker = worker;
    this.#handle = hold.idempotent((delivery: Delivery, context) => this.#run(delivery, context), {
      name: GUARD,
      key: ({ message }) => message,
      leaseTtlMs: worker.settings.ttlMs,
      resultTtlMs: 600_000,
      waitMs: WAIT_MS,
      fencing: true,
    });
  }

  deliver(delivery: Delivery): void {
    const handling: Promise<void> = this.#settle(delivery).finally(() => this.#underWay.delete(handling));
    this.#underWay.add(handling);
  }

  /** Of the observer: that the result of a run could not be recorded is told by an event alone. */
  onEvent({ key, ...event }: IdempotencyEvent): void {
    const run = this.#latest.get(key);
    if (run === undefined || event.type !== "lost") return;
    run.end = event.reason === "unrecorded" ? "unrecorded" : "lost";
  }

  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #settle(delivery: Delivery): Promise<void> {
    const { journal, report } = this.#worker;
    const { message } = delivery;
    try {
      const { value, outcome } = await this.#handle.outcome(delivery);
      this.#end(delivery, undefined);
      journal.write({ type: "result", at: nowMs(), message, run: value, isReplayed: outcome === "replayed" });
      report({ type: "handled", message });
    } catch (error) {
      this.#end(delivery, error instanceof IdempotencyLostError ? "lost" : "failed");
    }
  }

  async #run(delivery: Delivery, context: IdempotentContext): Promise<RunName> {
    const { journal, report, settings } = this.#worker;
    const { message } = delivery;
    const run: Running = { id: journal.newId(), end: "recorded" };
    const { id } = run;
    this.#runs.set(delivery, run);
    this.#latest.set(message, run);
    journal.write({ type: "ask", id, at: nowMs(), kind: "run", name: message });
    const { signal } = context;
    const holding = { id, holds: () => !signal.aborted, signal };
    const isNoted = noteGrant(journal, holding, context.fencingToken);
    if (!isNoted || Math.random() < 0.05) throw new Error("one of those that fail");
    let hasDone = false;
    const workMs = Math.random() < 0.3 ? (0.3 + Math.random()) * settings.ttlMs : 5 + Math.random() * 40;
    await work(journal, holding, workMs, () => {
      if (hasDone) return;
      hasDone = true;
      report({ type: "effect", message, id });
    });
    return `${settings.name}#${id}`;
  }

  /** Writes down how the run of a delivery ended, if there was one. */
  #end(delivery: Delivery, failure: RunEnd | undefined): void {
    const run = this.#runs.get(delivery);
    if (run === undefined) return;
    this.#runs.delete(delivery);
    if (this.#latest.get(delivery.message) === run) this.#latest.delete(delivery.message);
    this.#worker.journal.write({ type: "settled", id: run.id, at: nowMs(), how: failure ?? run.end });
  }
}
