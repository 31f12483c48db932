/** What a response is kept as, and how it is made into one again. */
export interface KeptResponse {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** A response that was passed on without being kept. */
export interface PassedResponse {
  readonly passed: "streamed" | "too large";
}

/** Headers as Node has them, one line for each value. */
export function headerLines(
  headers: Readonly<Record<string, string | number | readonly string[] | undefined>>,
): [name: string, value: string][] {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return (typeof value === "object" ? value : [String(value)]).map((line): [string, string] => [name, line]);
  });
}

/** Statuses that have no body, not even an empty one. */
const BODILESS: ReadonlySet<number> = new Set([101, 204, 205, 304]);

function bodyFor(status: number, body: Uint8Array): Uint8Array<ArrayBuffer> | null {
  return BODILESS.has(status) ? null : (body as Uint8Array<ArrayBuffer>);
}

/** The response of a replay. */
export function replayed({ status, headers, body }: KeptResponse): Response {
  const response = new Response(bodyFor(status, body), {
    status,
    headers: headers.map(([name, value]) => [name, value]),
  });
  response.headers.set("idempotent-replayed", "true");
  return response;
}

/**
 * Reads the body of a response up to `maxBytes`. Gives what can be kept, and the
 * response to send: the body was read, so not the same one.
 */
export async function readResponse(
  response: Response,
  maxBytes: number,
): Promise<{ readonly kept: KeptResponse | PassedResponse; readonly response: Response }> {
  if (isEventStream(response.headers)) return { kept: { passed: "streamed" }, response };
  const { status, statusText, headers } = response;
  const reader = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    chunks.push(next.value);
    size += next.value.byteLength;
    if (reader && size > maxBytes) {
      return {
        kept: { passed: "too large" },
        response: new Response(resume(chunks, reader), { status, statusText, headers }),
      };
    }
  }
  const body = new Uint8Array(Buffer.concat(chunks));
  return {
    kept: { status, headers: [...headers], body },
    response: new Response(bodyFor(status, body), { status, statusText, headers }),
  };
}

/** Streams that are meant never to end are not waited for. */
function isEventStream(headers: Headers): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") ?? false;
}

/** What was read, and then the rest. */
function resume(
  chunks: readonly Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const read = chunks.values();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = read.next();
      if (!done) return controller.enqueue(value as Uint8Array<ArrayBuffer>);
      const next = await reader.read();
      if (next.done) controller.close();
      else controller.enqueue(next.value as Uint8Array<ArrayBuffer>);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
