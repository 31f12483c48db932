import type { Delivery } from "./deliveries.ts";
import type { Handled, Worker } from "./worker.ts";

export interface DispatchOptions {
  /** Ends the dispatch once the deliveries under way are handled. */
  readonly signal: AbortSignal;
  readonly onHandled: (handled: Handled) => void;
}

/** Hands the deliveries to whichever worker is free. Fails with the first worker that does. */
export async function dispatch(
  deliveries: readonly Delivery[],
  workers: readonly Worker[],
  { signal, onHandled }: DispatchOptions,
): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  // One iterator for all of them: each delivery is taken once.
  const queue = deliveries.values();

  const feed = async (worker: Worker): Promise<void> => {
    while (!stop.aborted) {
      const { value: delivery, done } = queue.next();
      if (done) return;
      try {
        onHandled(await worker.handle(delivery));
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
