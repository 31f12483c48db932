import { setTimeout as sleep } from "node:timers/promises";

/** Runs `work` for 0 … count − 1, 64 at a time. */
export async function inBatches(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, 64) }, worker));
}

/** What is left on the heap, and in buffers beside it, when everything that can be collected was. */
export async function heapBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await sleep(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
