import { context, metrics, type Span, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { type DataPoint, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** One series of a metric: its attributes, and its value or, of a histogram, how much was recorded. */
export interface Series {
  readonly attributes: Record<string, unknown>;
  readonly value: number;
  /** Of a histogram: the sum of what was recorded. */
  readonly sum?: number;
}

/** The real SDK, registered for this process, with all that it collects kept in memory. */
export interface Sdk {
  /** The series of a metric; none if it does not exist. */
  series(name: string): Promise<Series[]>;
  /** The value of a metric for some of its attributes. */
  value(name: string, attributes?: Record<string, string>): Promise<number>;
  /** Everything as text, to look for what should not be there. */
  everything(): Promise<string>;
  spans(name?: string): ReadableSpan[];
  /** Runs `work` under a span. */
  under<T>(name: string, work: (span: Span) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export function startSdk(): Sdk {
  const reader = new Reader();
  const meters = new MeterProvider({ readers: [reader] });
  const exporter = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  metrics.setGlobalMeterProvider(meters);
  trace.setGlobalTracerProvider(tracers);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

  const collect = async () => (await reader.collect()).resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const series = async (name: string): Promise<Series[]> => {
    const metric = (await collect()).find(({ descriptor }) => descriptor.name === name);
    const points: DataPoint<unknown>[] = metric?.dataPoints ?? [];
    return points.map(seriesOf);
  };
  return {
    series,
    value: async (name, attributes = {}) => {
      const wanted = Object.entries(attributes);
      const matching = (await series(name)).filter((one) =>
        wanted.every(([key, value]) => one.attributes[key] === value),
      );
      return matching.reduce((sum, { value }) => sum + value, 0);
    },
    everything: async () => JSON.stringify(await collect()),
    spans: (name) => exporter.getFinishedSpans().filter((span) => name === undefined || span.name === name),
    under: (name, work) =>
      trace.getTracer("test").startActiveSpan(name, (span) => work(span).finally(() => span.end())),
    stop: async () => {
      metrics.disable();
      trace.disable();
      context.disable();
      await meters.shutdown();
      await tracers.shutdown();
    },
  };
}

function seriesOf({ attributes, value }: DataPoint<unknown>): Series {
  if (typeof value === "number") return { attributes, value };
  const { count, sum } = value as { count: number; sum: number };
  return { attributes, value: count, sum };
}
