import type { Delivery } from "./deliveries.ts";
import type { Handled, Worker } from "./worker.ts";

export interface DispatchOptions {
  /** Ends the dispatch once the deliveries under way are handled. */
  readonly signal: AbortSignal;
  readonly onHandled: (handled: Handled) => void;
  readonly accidents?: Accidents;
}

/** Workers that die. */
export interface Accidents {
  /** How many, spread evenly over the deliveries. */
  readonly count: number;
  /** Lets a worker die over a delivery. Gives its successor, or what came of the delivery after all. */
  readonly befall: (worker: Worker, delivery: Delivery) => Promise<Worker | Handled>;
}

/**
 * Hands the deliveries to whichever worker is free, as a queue does: what a worker had when it died is delivered
 * again. Fails with the first worker that does.
 */
export async function dispatch(
  deliveries: readonly Delivery[],
  workers: readonly Worker[],
  options: DispatchOptions,
): Promise<void> {
  const { signal, onHandled, accidents } = options;
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const calendar = new Calendar(accidents?.count ?? 0, deliveries.length);
  // One queue for all of them: each delivery is taken once, unless it is given back.
  const queue = deliveries.toReversed();

  /** Gives who takes the next delivery: the same worker, or its successor. */
  const hand = async (delivery: Delivery, worker: Worker): Promise<Worker> => {
    if (!accidents || !calendar.takeDue(queue.length)) {
      onHandled(await worker.handle(delivery));
      return worker;
    }
    const result = await accidents.befall(worker, delivery);
    if (!("booking" in result)) {
      queue.push(delivery);
      return result;
    }
    onHandled(result);
    calendar.giveBack();
    return worker;
  };

  const feed = async (first: Worker): Promise<void> => {
    let worker = first;
    for (let delivery = queue.pop(); delivery && !stop.aborted; delivery = queue.pop()) {
      try {
        worker = await hand(delivery, worker);
      } catch (error) {
        failure.abort();
        throw new Error(`${worker.name} failed with order ${delivery.order} of ${delivery.customer}: ${error}`);
      }
    }
  };

  const results = await Promise.allSettled(workers.map(feed));
  for (const result of results) {
    if (result.status === "rejected") throw result.reason;
  }
}

/** When accidents are due: evenly spread over the deliveries. */
class Calendar {
  readonly #count: number;
  readonly #total: number;
  #taken = 0;

  constructor(count: number, total: number) {
    this.#count = count;
    this.#total = total;
  }

  /** Whether one is due when so many deliveries are left; then it is taken. */
  takeDue(left: number): boolean {
    const share = (this.#taken + 1) / (this.#count + 1);
    if (this.#taken === this.#count || this.#total - left < this.#total * share) return false;
    this.#taken += 1;
    return true;
  }

  /** It did not happen: the next delivery will do. */
  giveBack(): void {
    this.#taken -= 1;
  }
}
