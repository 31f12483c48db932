import { copyBytes } from "../../../src/cache/bytes.ts";
import type { Cache, CacheStats, CompareAndSetOptions, GetOrSetResult, Unwatch } from "../../../src/cache/contract.ts";
import { OperationError } from "../../../src/cache/errors.ts";
import { OperationGuard } from "../../../src/cache/guard.ts";
import { type Instant, now } from "../../../src/runtime/instant.ts";
import type { Machine } from "./machine.ts";
import type { Message, Network } from "./network.ts";
import type { Answer, Command, Store } from "./store.ts";
import type { Timeline } from "./timeline.ts";

export interface SimCacheParts {
  readonly timeline: Timeline;
  readonly machine: Machine;
  readonly network: Network;
  readonly store: Store;
  readonly ordered: boolean;
  /** How long an operation may take until its outcome counts as unknown. */
  readonly operationLimitMs: number;
}

/** An operation that a client has called. */
export interface Call {
  readonly command: Command;
  readonly sentAt: Instant;
}

/** The contract, seen by one client through a network and its faults. */
export class SimCache implements Cache {
  readonly ordered: boolean;
  readonly #parts: SimCacheParts;
  readonly #guard = new OperationGuard();
  readonly #watches = new Set<SimWatch>();
  readonly #requests = new Set<Request>();
  #hintsMutedUntilMs = 0;
  /** How many operations were called. */
  calls = 0;
  onCall: (call: Call) => void = () => {};
  /** Called when an operation was answered, before whoever called it hears of it. */
  onAnswer: (call: Call, answer: Answer) => void = () => {};

  constructor(parts: SimCacheParts) {
    this.ordered = parts.ordered;
    this.#parts = parts;
    parts.network.onReconnected = () => {
      for (const watch of this.#watches) watch.call();
    };
  }

  /** How many operations have not settled. */
  get pending(): number {
    return this.#requests.size;
  }

  /** How many watches this client believes in. */
  get watches(): number {
    return this.#watches.size;
  }

  /** Hints get lost for a while. */
  mute(ms: number): void {
    this.#hintsMutedUntilMs = this.#parts.timeline.nowMs + ms;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#guard.key("get", key);
    return (await this.#perform({ name: "get", key })) as Uint8Array | undefined;
  }

  async set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    const ttl = this.#guard.write("set", key, value, ttlMs);
    await this.#perform({ name: "set", key, value: copyBytes(value), ttlMs: ttl });
  }

  async delete(key: string): Promise<boolean> {
    this.#guard.key("delete", key);
    return (await this.#perform({ name: "delete", key })) as boolean;
  }

  async getOrSet(key: string, value: Uint8Array, ttlMs: number): Promise<GetOrSetResult> {
    const ttl = this.#guard.write("getOrSet", key, value, ttlMs);
    return (await this.#perform({ name: "getOrSet", key, value: copyBytes(value), ttlMs: ttl })) as GetOrSetResult;
  }

  async compareAndSet(
    key: string,
    expected: Uint8Array | null,
    next: Uint8Array | null,
    ttlMs?: number,
    options?: CompareAndSetOptions,
  ): Promise<boolean> {
    const ttl = this.#guard.compareAndSet(key, expected, next, ttlMs);
    const command: Command = {
      name: "compareAndSet",
      key,
      expected: expected && copyBytes(expected),
      next: next && copyBytes(next),
      ttlMs: ttl,
      announced: options?.announce !== "none",
    };
    return (await this.#perform(command)) as boolean;
  }

  async watch(key: string, onChange: () => void): Promise<Unwatch> {
    this.#guard.watch(key, onChange);
    const watch = new SimWatch(onChange);
    const end = (): void => {
      this.#watches.delete(watch);
      watch.end();
    };
    this.#watches.add(watch);
    try {
      await this.#request("watch", () => {
        if (!watch.ended) watch.stop ??= this.#parts.store.watch(key, () => this.#hint(watch));
      });
    } catch (error) {
      end();
      throw error;
    }
    return async () => end();
  }

  async health(): Promise<void> {
    this.#guard.open("health");
    await this.#request("health", () => undefined);
  }

  stats(): CacheStats {
    throw new Error("a simulated cache keeps no statistics");
  }

  async close(): Promise<void> {
    this.#guard.close();
    this.abandon();
  }

  /** The process is gone, and its connection with it. */
  abandon(): void {
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
  }

  async #perform(command: Command): Promise<Answer> {
    const call = { command, sentAt: now(this.#parts.machine) };
    this.onCall(call);
    const answer = await this.#request(
      command.name,
      () => this.#parts.store.execute(command),
      (result) => this.onAnswer(call, result as Answer),
    );
    return answer as Answer;
  }

  #request(operation: string, execute: () => unknown, onAnswer?: (result: unknown) => void): Promise<unknown> {
    this.calls += 1;
    const { machine, network, operationLimitMs } = this.#parts;
    return new Promise((resolve, reject) => {
      const request = new Request(execute, (settle) => {
        machine.clearTimer(timer);
        this.#requests.delete(request);
        settle();
      });
      request.onAnswer = (result) => {
        onAnswer?.(result);
        resolve(result);
      };
      request.onFailure = reject;
      const timer = machine.setTimer(() => request.fail(timedOut(operation)), operationLimitMs);
      this.#requests.add(request);
      network.send(request);
    });
  }

  #hint(watch: SimWatch): void {
    const { timeline, machine, network } = this.#parts;
    if (timeline.nowMs < this.#hintsMutedUntilMs) return;
    timeline.after(network.delayMs(), () => machine.deliver(() => watch.call()));
  }
}

class Request implements Message {
  readonly execute: () => unknown;
  readonly #end: (settle: () => void) => void;
  onAnswer: (result: unknown) => void = () => {};
  onFailure: (error: Error) => void = () => {};
  settled = false;

  constructor(execute: () => unknown, end: (settle: () => void) => void) {
    this.execute = execute;
    this.#end = end;
  }

  answer(result: unknown): void {
    this.#settle(() => this.onAnswer(result));
  }

  fail(error: Error): void {
    this.#settle(() => this.onFailure(error));
  }

  #settle(settle: () => void): void {
    if (this.settled) return;
    this.settled = true;
    this.#end(settle);
  }
}

class SimWatch {
  readonly #onChange: () => void;
  stop: (() => void) | undefined;
  ended = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  call(): void {
    if (!this.ended) this.#onChange();
  }

  end(): void {
    this.ended = true;
    this.stop?.();
  }
}

function timedOut(operation: string): OperationError {
  return new OperationError(`${operation}: no answer in time; the outcome is unknown`, { code: "ERR_CACHE_TIMEOUT" });
}
