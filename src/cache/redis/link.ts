import type { Clock } from "../../runtime/clock.ts";
import { ConnectionError } from "../errors.ts";
import { type CommandArgument, isCluster, type NodeClient, type RedisClient } from "./client.ts";
import { type Bounded, Deadlines } from "./deadlines.ts";
import {
  describeFault,
  isConnectionLoss,
  isReplyError,
  operationFailure,
  replyCode,
  subjectOf,
  timedOut,
  title,
} from "./failures.ts";
import { type Call, type Request, type RequestClass, type RequestOwner, requestClassOf } from "./request.ts";

export interface LinkOptions {
  readonly clock: Clock;
  readonly operationTimeoutMs: number;
  /** How messages name the other end. */
  readonly address: string;
}

/**
 * The way to the server: a client, the operations that wait until it is
 * connected, and the requests in flight.
 *
 *     run ──▶ open? ──yes──▶ send ──▶ in flight ──▶ reply | connection lost | timed out
 *               └──no──▶ waiting ──open──▶ send
 *                           └──▶ timed out: nothing was sent
 *
 * - Operations reach the server in the order of their calls, those that waited first.
 * - The limit of an operation starts with its call and covers the wait.
 * - What is in flight when the connection breaks is rejected at once, and not sent again.
 */
export class Link implements RequestOwner {
  readonly client: RedisClient;
  readonly address: string;
  readonly writesOnce: boolean;
  /** Why there is no connection, or was none the last time. */
  fault: Error | undefined;
  /** Called when the server at the other end seems to be dead, or a replica. */
  onSuspect: (reason: Error) => void = () => {};
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #Request: RequestClass;
  readonly #waiting: Deadlines<Waiting>;
  readonly #inFlight: Deadlines<Request>;
  readonly #uncork: () => void;
  #state: "shut" | "open" | "ended" = "shut";
  #corked: NodeClient["stream"];
  #replies = 0;
  #idle: (() => void) | undefined;

  constructor(client: RedisClient, { clock, operationTimeoutMs, address }: LinkOptions) {
    this.client = client;
    this.address = address;
    this.writesOnce = !isCluster(client);
    this.#clock = clock;
    this.#limitMs = operationTimeoutMs;
    this.#Request = requestClassOf(client);
    this.#waiting = new Deadlines(clock);
    this.#inFlight = new Deadlines(clock);
    this.#uncork = () => {
      this.#corked?.uncork();
      this.#corked = undefined;
    };
  }

  /** Whether an operation that is called now is sent at once. */
  get isOpen(): boolean {
    // The client knows of a broken connection before its events tell us.
    return this.#state === "open" && this.client.status === "ready" && this.#stream()?.writable !== false;
  }

  /** The deadline of a call that begins now. */
  newDeadline(): number {
    return this.#clock.monotonicMs() + this.#limitMs;
  }

  /** Calls `start` when there is a connection: at once, or later. */
  run<C extends Call, T>(call: C, start: (call: C) => Promise<T>): Promise<T> {
    if (this.isOpen) return start(call);
    return new Promise((resolve, reject) => {
      const waiting = new Waiting(
        call.deadlineMs,
        () => resolve(start(call)),
        () => {
          reject(this.#unreachable(call));
          this.#checkIdle();
        },
      );
      if (this.#state === "ended") waiting.expire();
      else this.#waiting.add(waiting);
    });
  }

  /** Sends a command now. Only inside `run`, and to greet a server. */
  send<T>(
    call: Call,
    name: string,
    args: CommandArgument[],
    parse: (reply: unknown) => T,
    via: RedisClient = this.client,
  ): Promise<T> {
    const request = new this.#Request(this, call, name, args, parse);
    request.seenReplies = this.#replies;
    // A request that is alone leaves at once. Several of one tick leave in one write.
    if (!this.#inFlight.isEmpty) this.#cork();
    this.#inFlight.add(request as Request);
    via.sendCommand(request);
    if (!this.writesOnce) neverRewrite(request as Request);
    return request.promise;
  }

  /** The server was greeted: sends what has been waiting. */
  open(): void {
    this.#state = "open";
    this.fault = undefined;
    for (const waiting of this.#waiting.toArray()) {
      this.#waiting.remove(waiting);
      waiting.start();
    }
    this.#checkIdle();
  }

  /** The connection is gone; another one is being made. */
  shut(): void {
    if (this.#state === "open") this.#state = "shut";
    const lost = this.fault ?? new Error("the server closed it");
    for (const request of this.#inFlight.toArray()) request.fail(lost);
  }

  /** The connection is gone for good. */
  end(): void {
    this.shut();
    this.#state = "ended";
    for (const waiting of this.#waiting.toArray()) {
      this.#waiting.remove(waiting);
      waiting.expire();
    }
    this.#waiting.stop();
    this.#inFlight.stop();
    this.#checkIdle();
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async whenIdle(): Promise<void> {
    if (!this.#waiting.isEmpty || !this.#inFlight.isEmpty) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#waiting.stop();
    this.#inFlight.stop();
  }

  onReply(): void {
    this.#replies += 1;
  }

  onSettled(request: Request): void {
    this.#inFlight.remove(request);
    if (this.#idle !== undefined) this.#checkIdle();
  }

  onExpired(request: Request): void {
    // Nothing at all has come since it was sent: the connection may be half-open.
    if (request.seenReplies === this.#replies) this.onSuspect(new Error(`nothing came for ${this.#limitMs} ms`));
    // A cluster may hold a request back until it is connected to the right node.
    request.fail(request.written ? timedOut(request, this.address, this.#limitMs) : this.#unreachable(request.call));
  }

  translate(error: Error, request: Request): Error {
    if (isReplyError(error)) {
      this.onReply();
      if (replyCode(error) === "READONLY") this.onSuspect(error);
    }
    return operationFailure(isConnectionLoss(error) ? (this.fault ?? error) : error, request, this.address);
  }

  #unreachable(call: Call): ConnectionError {
    const state = this.#state === "ended" ? "was closed" : `was not there within ${this.#limitMs} ms`;
    const reason = this.fault === undefined ? "" : ` (${describeFault(this.fault)})`;
    return new ConnectionError(
      `${title(call)}: the connection to ${this.address} ${state}${reason}; nothing was sent`,
      { ...subjectOf(call), address: this.address, cause: this.fault },
    );
  }

  #stream(): NodeClient["stream"] {
    return this.writesOnce ? (this.client as NodeClient).stream : undefined;
  }

  /** Holds back what is written until the end of the tick: a third of the cost of a command is its system call. */
  #cork(): void {
    if (this.#corked !== undefined) return;
    this.#corked = this.#stream();
    if (this.#corked === undefined) return;
    this.#corked.cork();
    process.nextTick(this.#uncork);
  }

  #checkIdle(): void {
    if (this.#idle !== undefined && this.#waiting.isEmpty && this.#inFlight.isEmpty) this.#idle();
  }
}

/** An operation that was called while there was no connection. */
class Waiting implements Bounded {
  earlier: Bounded | undefined = undefined;
  later: Bounded | undefined = undefined;
  readonly deadlineMs: number;
  readonly start: () => void;
  readonly expire: () => void;

  constructor(deadlineMs: number, start: () => void, expire: () => void) {
    this.deadlineMs = deadlineMs;
    this.start = start;
    this.expire = expire;
  }
}

/**
 * A Cluster sends a command again when its connection broke. That may run it
 * twice, and then a compare-and-set that was applied would answer "no". So only
 * a command that no server can have executed may be sent again.
 */
function neverRewrite(request: Request): void {
  const clusterReject = request.reject;
  request.reject = (error) => {
    if (request.written && isConnectionLoss(error)) return request.fail(error);
    // Any answer of a server means that it did not execute the command.
    if (isReplyError(error)) request.written = false;
    clusterReject.call(request, error);
  };
}
