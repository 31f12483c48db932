import { once } from "node:events";
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from "node:net";

export interface ReplyCut {
  /** How many bytes of the reply still pass; 0 loses all of it. */
  readonly afterBytes: number;
  /** Which request it is about: the first one that contains this text. By default the next one, whatever it is. */
  readonly request?: string;
}

/**
 * A TCP proxy in front of a server, to put faults on the wire: partitions one way or both, latency, lost and
 * truncated replies, cut connections.
 *
 * A direction that is held delivers nothing, the end of the stream included, and delivers all of it once it is
 * released: TCP re-sends, it does not lose the middle of a stream. `cut` while it is held loses what was under way.
 */
export interface TcpProxy {
  readonly port: number;
  readonly url: string;
  readonly toServer: Direction;
  readonly toClient: Direction;
  /** Connections from clients that are open now. */
  readonly connections: number;
  /** Holds both directions. */
  partition(): void;
  /** Releases both directions and accepts connections again. */
  heal(): void;
  /** Resets every connection; new ones are accepted. */
  cut(): void;
  /** Resets every connection, and each new one at once, until `heal`. */
  refuse(): void;
  /**
   * The next request reaches the server and is executed, but its connection is reset before the reply is complete.
   * Resolves when that has happened.
   */
  cutReply(cut: ReplyCut): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startProxy(server: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const toServer = new Direction();
  const toClient = new Direction();
  const links = new Set<Link>();
  let refusing = false;
  let pending: PendingCut | undefined;

  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    if (refusing) return reset(client);
    const upstream = connectSocket({ host: server.host, port: server.port, noDelay: true, allowHalfOpen: true });
    const link = new Link(client, upstream, toServer, toClient);
    links.add(link);
    link.onRequest = (chunk) => {
      if (!pending || !chunk.includes(pending.request)) return;
      link.cutReply(pending);
      pending = undefined;
    };
    client.once("close", () => links.delete(link));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;

  const cut = (): void => {
    for (const link of links) link.reset();
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    toServer,
    toClient,
    get connections() {
      return links.size;
    },
    partition() {
      toServer.hold();
      toClient.hold();
    },
    heal() {
      refusing = false;
      toServer.release();
      toClient.release();
    },
    cut,
    refuse() {
      refusing = true;
      cut();
    },
    cutReply({ afterBytes, request = "" }) {
      return new Promise((resolve) => {
        pending = { afterBytes, request, done: resolve };
      });
    },
    async close() {
      const closed = new Promise((resolve) => listener.close(resolve));
      cut();
      await closed;
    },
  };
}

interface PendingCut {
  readonly afterBytes: number;
  readonly request: string;
  readonly done: () => void;
}

/** One way through the proxy, for all connections. */
class Direction {
  /** Bytes that were delivered. */
  bytes = 0;
  /** Chunks that were delivered: on a quiet wire, one per write of the sender. */
  chunks = 0;
  /** How long each chunk is under way. */
  delayMs = 0;
  #held = false;
  readonly #pipes = new Set<Pipe>();

  get held(): boolean {
    return this.#held;
  }

  /** From now on nothing is delivered. */
  hold(): void {
    this.#held = true;
  }

  /** Delivers what was held, and whatever comes. */
  release(): void {
    this.#held = false;
    for (const pipe of this.#pipes) pipe.pump();
  }

  /** @internal */
  attach(pipe: Pipe): void {
    this.#pipes.add(pipe);
  }

  /** @internal */
  detach(pipe: Pipe): void {
    this.#pipes.delete(pipe);
  }

  /** @internal */
  count(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.chunks++;
  }
}

/** One direction of one connection: a queue of chunks, each with the time at which it arrives; `null` ends it. */
class Pipe {
  readonly #direction: Direction;
  readonly #target: Socket;
  readonly #queue: { readonly chunk: Buffer | null; readonly dueAt: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(direction: Direction, target: Socket) {
    this.#direction = direction;
    this.#target = target;
    direction.attach(this);
  }

  push(chunk: Buffer | null): void {
    this.#queue.push({ chunk, dueAt: performance.now() + this.#direction.delayMs });
    this.pump();
  }

  /** Delivers what is due. */
  pump(): void {
    clearTimeout(this.#timer);
    while (this.#queue[0] && !this.#direction.held) {
      const { chunk, dueAt } = this.#queue[0];
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs);
        return;
      }
      this.#queue.shift();
      this.#deliver(chunk);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#direction.detach(this);
  }

  #deliver(chunk: Buffer | null): void {
    if (chunk === null) {
      this.#target.end();
      return;
    }
    this.#direction.count(chunk);
    this.#target.write(chunk);
  }
}

/** One connection through the proxy. */
class Link {
  onRequest: (chunk: Buffer) => void = () => undefined;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #requests: Pipe;
  readonly #replies: Pipe;
  /** Bytes of replies that still pass; from 0 on nothing does. */
  #left = Number.POSITIVE_INFINITY;

  constructor(client: Socket, upstream: Socket, toServer: Direction, toClient: Direction) {
    this.#client = client;
    this.#upstream = upstream;
    this.#requests = new Pipe(toServer, upstream);
    this.#replies = new Pipe(toClient, client);

    client.on("data", (chunk: Buffer) => {
      this.onRequest(chunk);
      this.#requests.push(chunk);
    });
    upstream.on("data", (chunk: Buffer) => this.#reply(chunk));
    client.on("end", () => this.#requests.push(null));
    upstream.on("end", () => this.#replies.push(null));
    // A reset on one side is a reset on the other.
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => reset(client));
    client.on("close", () => this.#replies.close());
    upstream.on("close", () => this.#requests.close());
  }

  cutReply({ afterBytes, done }: PendingCut): void {
    this.#left = afterBytes;
    // The server closes once it has executed all that it was sent.
    this.#upstream.once("close", done);
  }

  reset(): void {
    reset(this.#client);
    this.#upstream.destroy();
  }

  #reply(chunk: Buffer): void {
    if (this.#left === 0 && this.#upstream.writableEnded) return;
    if (chunk.length <= this.#left) {
      this.#left -= chunk.length;
      this.#replies.push(chunk);
      return;
    }
    this.#replies.push(chunk.subarray(0, this.#left));
    this.#replies.push(null);
    this.#left = 0;
    this.#requests.push(null);
  }
}

/** A socket whose own side has ended cannot be reset: Node then leaves it open and, at exit, waits for it for ever. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
