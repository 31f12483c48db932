import type { Delivery } from "./deliveries.ts";
import type { Journal } from "./journal.ts";
import { RemoteWorker, startRemoteWorker } from "./remote-worker.ts";
import { type Handled, startWorker, type Worker, type WorkerSettings } from "./worker.ts";

/** The workers of one run, and those who come in the place of others that were killed. */
export class Crew {
  readonly #settings: Omit<WorkerSettings, "name">;
  readonly #workers: Worker[] = [];
  #hired = 0;

  private constructor(settings: Omit<WorkerSettings, "name">) {
    // A memory store without a name would be a different one for each worker.
    const store = settings.store === "memory:" ? "memory:orders" : settings.store;
    this.#settings = { ...settings, store };
  }

  /** Starts that many workers, all or none: in this process over the memory store, otherwise each in its own. */
  static async start(size: number, settings: Omit<WorkerSettings, "name">): Promise<Crew> {
    const crew = new Crew(settings);
    const results = await Promise.allSettled(Array.from({ length: size }, () => crew.#hire()));
    const failure = results.find((result) => result.status === "rejected");
    if (failure === undefined) return crew;
    await crew.stop();
    throw failure.reason;
  }

  get workers(): readonly Worker[] {
    return this.#workers;
  }

  /**
   * Gives a worker a delivery and kills it in the middle of that. Gives its successor, or what came of the delivery if
   * there was nothing to do for it.
   */
  async kill(worker: Worker, delivery: Delivery, journal: Journal): Promise<Worker | Handled> {
    if (!(worker instanceof RemoteWorker)) throw new Error(`${worker.name} is no process of its own`);
    const handled = await worker.dieDuring(delivery);
    if (handled !== "killed") return handled;
    journal.append({ event: "killed", worker: worker.name });
    return this.#hire();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  async #hire(): Promise<Worker> {
    const start = this.#settings.store.startsWith("memory:") ? startWorker : startRemoteWorker;
    this.#hired += 1;
    const worker = await start({ ...this.#settings, name: `worker-${this.#hired}` });
    this.#workers.push(worker);
    return worker;
  }
}
