import { startRemoteWorker } from "./remote-worker.ts";
import { startWorker, type Worker, type WorkerSettings } from "./worker.ts";

/** Starts that many workers, all or none: in this process over the memory store, otherwise each in its own. */
export async function startCrew(size: number, settings: Omit<WorkerSettings, "name">): Promise<readonly Worker[]> {
  const start = settings.store.startsWith("memory:") ? startWorker : startRemoteWorker;
  // A memory store without a name would be a different one for each worker.
  const store = settings.store === "memory:" ? "memory:orders" : settings.store;
  const names = Array.from({ length: size }, (_, i) => `worker-${i + 1}`);
  const results = await Promise.allSettled(names.map((name) => start({ ...settings, store, name })));

  const failure = results.find((result) => result.status === "rejected");
  const workers = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (failure === undefined) return workers;
  await stopCrew(workers);
  throw failure.reason;
}

export async function stopCrew(workers: readonly Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.stop()));
}
