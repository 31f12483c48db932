import { checkFunction, checkOptions, checkSignal } from "../../cache/choices.ts";
import { type Cache, type CacheSource, resolveCache } from "../../cache/contract.ts";
import { checkWait } from "../../cache/durations.ts";
import { ClosedError } from "../../cache/errors.ts";
import { BusyMap } from "../../runtime/busy-map.ts";
import type { LeaseKeys } from "../lease/names.ts";
import type { IdempotentHandler } from "./context.ts";
import { type Delivered, Delivery } from "./delivery.ts";
import { closedError, IdempotencyInProgressError, IdempotencyLostError, IdempotencyMismatchError } from "./errors.ts";
import { type IdempotencyOutcome, type Report, reportAbout } from "./events.ts";
import { Flight } from "./flight.ts";
import { forget } from "./forget.ts";
import { Memo } from "./memo.ts";
import { messageKeys } from "./names.ts";
import { type IdempotentOptions, type IdempotentSettings, idempotentSettings } from "./options.ts";
import { isReplayed } from "./stored-error.ts";

/** A guarded handler. Call it like the handler itself. */
export interface Idempotent<Input, Result> {
  /**
   * Runs the handler, or gives what it came to for an earlier delivery of the
   * same message. The value is each caller's own copy.
   *
   * @throws whatever the handler throws, or threw if its error was stored; a
   *   replayed error has `replayed: true`
   * @throws IdempotencyInProgressError when another delivery runs it and is not done within `waitMs`
   * @throws IdempotencyMismatchError when the key was used for another input
   * @throws IdempotencyLostError when the handler has run here, but lost its claim meanwhile
   * @throws IdempotencyResultError when the handler has run, but its result could not be kept
   * @throws OperationError, ConnectionError when the store fails; the handler has not run
   * @throws CodecError when the input cannot be fingerprinted
   * @throws ConfigError when the input has no key, or an option of the call is wrong
   */
  (input: Input, call?: DeliveryOptions): Promise<Result>;
  /** The same, and tells whether the handler was run by this call. */
  outcome(input: Input, call?: DeliveryOptions): Promise<Delivered<Result>>;
  /**
   * Forgets what the message came to, so that it can run again. Resolves to
   * whether there was something to forget.
   *
   * @throws IdempotencyInProgressError while the handler runs: a run is never taken its claim away
   */
  forget(input: Input): Promise<boolean>;
}

/** What one call may decide for itself. */
export interface DeliveryOptions {
  /** Ends the wait for another delivery's run, or for the store. A handler that runs is not affected. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the option of the same name. */
  readonly waitMs?: number | undefined;
}

/**
 * Guards a handler: however often a message is delivered, by however many
 * processes, it is handled by at most one at a time, and what it came to is
 * recorded once and replayed.
 *
 * It does not make *effects* happen exactly once: a worker that dies between an
 * effect and its record leaves a message that is run again. For that, the effect
 * itself must check the message's key or the fencing token.
 *
 * @throws ConfigError naming the option that is wrong
 */
export function idempotent<Input, Result>(
  source: CacheSource,
  handler: IdempotentHandler<Input, Result>,
  options: IdempotentOptions<Input>,
): Idempotent<Input, Result> {
  checkFunction(handler, "the handler");
  checkOptions(options, "idempotent");
  const guard = new Guard(source, handler, idempotentSettings(options));
  const deliver = async (input: Input, call?: DeliveryOptions): Promise<Result> =>
    (await guard.deliver(input, call)).value;
  return Object.assign(deliver, {
    outcome: (input: Input, call?: DeliveryOptions) => guard.deliver(input, call),
    forget: (input: Input) => guard.forget(input),
  });
}

/** What a guard has going on one cache. */
interface Desk<Input, Result> {
  /** By the message's key in the store. */
  readonly flights: BusyMap<Flight<Input, Result>>;
  readonly memo: Memo | undefined;
}

class Guard<Input, Result> {
  readonly #source: CacheSource;
  readonly #handler: IdempotentHandler<Input, Result>;
  readonly #settings: IdempotentSettings<Input>;
  readonly #desks = new WeakMap<Cache, Desk<Input, Result>>();

  constructor(source: CacheSource, handler: IdempotentHandler<Input, Result>, settings: IdempotentSettings<Input>) {
    this.#source = source;
    this.#handler = handler;
    this.#settings = settings;
  }

  async deliver(input: Input, call: DeliveryOptions = {}): Promise<Delivered<Result>> {
    checkOptions(call, "a call");
    const { signal, waitMs = this.#settings.waitMs } = call;
    const { name, keyOf, fingerprintOf, scope, observer, clock } = this.#settings;
    checkSignal(signal);
    checkWait(waitMs, "waitMs");
    signal?.throwIfAborted();
    // Once, at entry: a handler that changes its input changes neither of them.
    const keys = messageKeys(name, keyOf(input));
    if (scope?.closed) throw closedError(name, keys.name, scope.closed);
    const fingerprint = fingerprintOf(input, keys.name);
    const delivery = new Delivery<Input, Result>({
      name,
      key: keys.name,
      input,
      fingerprint,
      waitMs,
      signal,
      clock,
      scope,
    });
    void this.#start(delivery, keys);
    return await observed(delivery, reportAbout(observer, name, keys.name), signal);
  }

  async forget(input: Input): Promise<boolean> {
    const { name, keyOf } = this.#settings;
    const keys = messageKeys(name, keyOf(input));
    const cache = await resolveCache(this.#source);
    try {
      return await forget(cache, name, keys);
    } finally {
      this.#desks.get(cache)?.memo?.delete(keys.lease);
    }
  }

  async #start(delivery: Delivery<Input, Result>, keys: LeaseKeys): Promise<void> {
    try {
      const cache = await resolveCache(this.#source);
      if (!delivery.isOpen) return;
      const { flights, memo } = this.#desk(cache);
      const known = memo?.get(keys.lease);
      if (known) return delivery.receive(known);
      const flight = flights.get(keys.lease);
      if (flight) delivery.rememberContext();
      (flight ?? this.#takeOff(cache, keys)).join(delivery);
    } catch (error) {
      delivery.fail(error);
    }
  }

  #takeOff(cache: Cache, keys: LeaseKeys): Flight<Input, Result> {
    const { flights, memo } = this.#desk(cache);
    const { name, observer } = this.#settings;
    const flight: Flight<Input, Result> = new Flight<Input, Result>({
      cache,
      keys,
      settings: this.#settings,
      handler: this.#handler,
      memo,
      report: reportAbout(observer, name, keys.name),
      onLanded: () => flights.delete(keys.lease, flight),
    });
    flights.set(keys.lease, flight);
    return flight;
  }

  #desk(cache: Cache): Desk<Input, Result> {
    let desk = this.#desks.get(cache);
    if (desk === undefined) {
      const { clock, memo } = this.#settings;
      desk = { flights: new BusyMap(), memo: memo && new Memo(clock, memo) };
      this.#desks.set(cache, desk);
    }
    return desk;
  }
}

async function observed<Input, Result>(
  delivery: Delivery<Input, Result>,
  report: Report,
  signal: AbortSignal | undefined,
): Promise<Delivered<Result>> {
  const settled = (outcome: IdempotencyOutcome): void =>
    report({ type: "settled", outcome, durationMs: delivery.elapsedMs - (delivery.ranMs ?? 0) });
  try {
    const delivered = await delivery.settled;
    settled(delivered.outcome);
    return delivered;
  } catch (error) {
    settled(delivery.ranMs === undefined ? outcomeWithoutRun(error, signal) : outcomeOfRun(error));
    throw error;
  }
}

function outcomeOfRun(error: unknown): IdempotencyOutcome {
  return error instanceof IdempotencyLostError && "result" in error ? "lost" : "failed";
}

function outcomeWithoutRun(error: unknown, signal: AbortSignal | undefined): IdempotencyOutcome {
  if (error instanceof IdempotencyInProgressError) return "in-progress";
  if (error instanceof IdempotencyMismatchError) return "mismatch";
  if (isReplayed(error)) return "replayed";
  return error instanceof ClosedError || signal?.aborted ? "aborted" : "error";
}
