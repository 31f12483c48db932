import type { OutgoingHttpHeader, ServerResponse } from "node:http";
import { headerLines, type KeptResponse, type PassedResponse } from "./kept-response.ts";

type Callback = () => void;

/**
 * Holds back what is written to a response of Node, until it is sent or has to be
 * passed on: because there is too much of it, or because it is a stream.
 */
export class HeldResponse {
  /** Resolves when the response is complete, or is being passed on. */
  readonly made: Promise<KeptResponse | PassedResponse>;
  readonly #res: ServerResponse;
  readonly #maxBytes: number;
  readonly #own: Pick<ServerResponse, "write" | "end" | "writeHead" | "flushHeaders">;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #onEnd: Callback | undefined;
  #make: (made: KeptResponse | PassedResponse) => void = () => {};

  constructor(res: ServerResponse, maxBytes: number) {
    this.#res = res;
    this.#maxBytes = maxBytes;
    this.made = new Promise((resolve) => {
      this.#make = resolve;
    });
    const { write, end, writeHead, flushHeaders } = res;
    this.#own = { write, end, writeHead, flushHeaders };
    // The overloads of these methods differ in where the callback is.
    res.write = ((...args: unknown[]) => this.#write(args)) as ServerResponse["write"];
    res.end = ((...args: unknown[]) => this.#end(args)) as ServerResponse["end"];
    res.writeHead = ((...args: unknown[]) => this.#writeHead(args)) as ServerResponse["writeHead"];
    res.flushHeaders = () => this.#pass("streamed").flushHeaders();
  }

  /** Sends what was held. */
  send(): void {
    if (this.#res.end === this.#own.end) return;
    this.#letGo().end(Buffer.concat(this.#chunks), this.#onEnd);
  }

  /** Forgets what was held, with its headers, so that something else can be sent. */
  drop(): void {
    const res = this.#letGo();
    if (res.headersSent) return;
    for (const name of res.getHeaderNames()) res.removeHeader(name);
  }

  #write(args: unknown[]): boolean {
    const callback = this.#add(args);
    if (this.#size > this.#maxBytes) this.#pass("too large");
    else if (String(this.#res.getHeader("content-type")).startsWith("text/event-stream")) this.#pass("streamed");
    if (callback) queueMicrotask(callback);
    return true;
  }

  #end(args: unknown[]): ServerResponse {
    const callback = this.#add(args);
    if (this.#size > this.#maxBytes) return this.#pass("too large").end(callback);
    this.#onEnd = callback;
    const { statusCode: status } = this.#res;
    this.#make({
      status,
      headers: headerLines(this.#res.getHeaders()),
      body: new Uint8Array(Buffer.concat(this.#chunks)),
    });
    return this.#res;
  }

  /** Takes down what it would have sent at once. */
  #writeHead([status, ...rest]: unknown[]): ServerResponse {
    const [message, headers] = typeof rest[0] === "string" ? rest : [undefined, rest[0]];
    this.#res.statusCode = status as number;
    if (typeof message === "string") this.#res.statusMessage = message;
    for (const [name, value] of pairs(headers)) this.#res.setHeader(name, value);
    return this.#res;
  }

  /** Keeps a chunk; gives the callback that came with it. */
  #add(args: unknown[]): Callback | undefined {
    const [chunk, encoding] = args;
    const isEncoded = typeof encoding === "string";
    if (typeof chunk === "string" || chunk instanceof Uint8Array) {
      const bytes = Buffer.from(chunk as string, isEncoded ? (encoding as BufferEncoding) : "utf8");
      this.#chunks.push(bytes);
      this.#size += bytes.length;
    }
    return args.find((arg) => typeof arg === "function") as Callback | undefined;
  }

  /** From now on everything is sent as it comes, beginning with what was held. */
  #pass(passed: PassedResponse["passed"]): ServerResponse {
    const res = this.#letGo();
    for (const chunk of this.#chunks) res.write(chunk);
    this.#make({ passed });
    return res;
  }

  #letGo(): ServerResponse {
    return Object.assign(this.#res, this.#own);
  }
}

/** The headers of `writeHead`: an object, a list of pairs, or a flat list. */
function pairs(headers: unknown): [name: string, value: OutgoingHttpHeader][] {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers)) return Object.entries(headers as Record<string, OutgoingHttpHeader>);
  if (Array.isArray(headers[0])) return headers as [string, OutgoingHttpHeader][];
  const flat = headers as string[];
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ""] as [string, OutgoingHttpHeader]] : []));
}
