import { type Attributes, ProxyTracerProvider, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { systemClock } from "../runtime/system-clock.ts";

/** The tracer, or `undefined` while there is no SDK. */
export function currentTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider
    ? provider.getDelegateTracer("holdfast")
    : provider.getTracer("holdfast");
}

/** What a span of something that is over tells. */
export interface Past {
  readonly name: string;
  readonly durationMs: number;
  readonly attributes: Attributes;
  /** Why it did not end well. */
  readonly failure?: string | undefined;
}

/**
 * Writes the span of something that has just ended, as a child of what the
 * calling code does. It is written afterwards because only then is it known; what
 * ran meanwhile is its sibling, not its child.
 */
export function recordSpan({ name, durationMs, attributes, failure }: Past): void {
  const tracer = currentTracer();
  if (tracer === undefined) return;
  const endTime = systemClock.wallMs();
  const span = tracer.startSpan(name, { startTime: endTime - durationMs, attributes });
  if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
  span.end(endTime);
}
