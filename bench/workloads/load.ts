import { Bench } from "tinybench";
import type { Stage } from "../process/stage.ts";
import type { Metrics } from "./workload.ts";

type Operation = () => Promise<unknown>;

/** Has `operation` run for `sliceMs` by so many callers at once, each as soon as its last one is done. */
export async function measureLoad(
  operation: Operation,
  { concurrency, sliceMs }: { readonly concurrency: number; readonly sliceMs: number },
  { observer }: Stage,
): Promise<Metrics> {
  const serverBefore = await observer.cpuMicros();
  const clientBefore = process.cpuUsage();
  const { count, ...figures } = await (concurrency === 1
    ? oneByOne(operation, sliceMs)
    : manyAtOnce(operation, concurrency, sliceMs));
  const { user, system } = process.cpuUsage(clientBefore);
  const serverMicros = (await observer.cpuMicros()) - serverBefore;
  return { ...figures, clientMicros: (user + system) / count, serverMicros: serverMicros / count };
}

interface Figures {
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

async function oneByOne(operation: Operation, sliceMs: number): Promise<Figures> {
  const bench = new Bench({ time: sliceMs, iterations: 1, warmup: false, throws: true });
  bench.add("operation", async () => {
    await operation();
  });
  const from = performance.now();
  const [task] = await bench.run();
  const elapsedMs = performance.now() - from;
  if (task?.result.state !== "completed") throw new Error(`tinybench did not complete: ${task?.result.state}`);
  const { p50, p99, p999, samplesCount } = task.result.latency;
  return { count: samplesCount, perSecond: samplesCount / (elapsedMs / 1_000), p50Ms: p50, p99Ms: p99, p999Ms: p999 };
}

async function manyAtOnce(operation: Operation, concurrency: number, sliceMs: number): Promise<Figures> {
  const latencies: number[] = [];
  const from = performance.now();
  const until = from + sliceMs;
  const caller = async (): Promise<void> => {
    let startedAt = performance.now();
    while (startedAt < until) {
      await operation();
      const endedAt = performance.now();
      latencies.push(endedAt - startedAt);
      startedAt = endedAt;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const count = latencies.length;
  const elapsedMs = performance.now() - from;
  const quantile = quantilesOf(latencies);
  return {
    count,
    perSecond: count / (elapsedMs / 1_000),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    p999Ms: quantile(0.999),
  };
}

export function quantilesOf(values: readonly number[]): (q: number) => number {
  const sorted = Float64Array.from(values).sort();
  return (q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** The keys of a population, one after the other, again and again. */
export function cycle(prefix: string, size: number): () => string {
  const keys = Array.from({ length: size }, (_, i) => `${prefix}:${i}`);
  let next = 0;
  return () => {
    const key = keys[next % size] as string;
    next += 1;
    return key;
  };
}
