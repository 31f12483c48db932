import { checkFunction, checkSignal } from "../../cache/choices.ts";
import { type Cache, type CacheSource, resolveCache } from "../../cache/contract.ts";
import { checkWait } from "../../cache/durations.ts";
import { sleep } from "../../runtime/clock.ts";
import { isolated } from "../../runtime/isolated.ts";
import type { Job } from "../lease/job.ts";
import type { LossReason } from "../lease/lease.ts";
import { type LeaseKeys, leaseKeys } from "../lease/names.ts";
import { ElectionBusyError, LeadershipLostError } from "./errors.ts";
import type { HeldTerm } from "./held-term.ts";
import { type LeaderInfo, lookForLeader } from "./leader-info.ts";
import { Lifetime } from "./lifetime.ts";
import { ListenedEmitter } from "./listened.ts";
import { observeLeader } from "./observe.ts";
import { type ElectionOptions, type ElectionSettings, electionSettings } from "./options.ts";
import { seekTerm } from "./seek-term.ts";
import { serve } from "./serve.ts";
import type { Term } from "./term.ts";

/** After a hand-over `run` lets others go first for about this long, before it is a candidate again. */
const STEP_BACK_MS = 1_000;

/** An event that nobody listens to is never an error. */
export interface ElectionEvents {
  /** This candidate leads. */
  elected: [term: Term];
  /** A term of this candidate ended before it was given back. Its signal has been aborted. */
  lost: [event: { readonly term: Term; readonly reason: LossReason }];
  /**
   * Somebody else leads, or nobody does: {@link Election.observe} as an event. Whoever listens makes this process
   * follow the election, and keeps it alive, until the last listener is removed or the coordinator is closed.
   */
  changed: [leader: LeaderInfo | null];
  /** The work of a term is still running although its lease is over; see {@link ElectionOptions.onOverrun}. */
  overrun: [term: Term];
  /** `run` goes on, but the work of a term that was lost or resigned had failed with something else than that. */
  workFailed: [event: { readonly term: Term; readonly error: unknown }];
}

export interface CampaignOptions {
  /** Ends the wait. A term that was won is not affected. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait: 0 tries once, `Infinity` waits for ever. Default `Infinity`. */
  readonly waitMs?: number | undefined;
}

export interface RunOptions {
  /** Withdraws the candidate for good: it stops waiting or, if it leads, its work is told to finish and it resigns. */
  readonly signal?: AbortSignal | undefined;
}

export interface ObserveOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One candidate in an election, and a view of it. Made without touching the store; see {@link Election}.
 *
 * @throws ConfigError for a wrong option or name
 */
export function election(source: CacheSource, name: string, options?: ElectionOptions): Election {
  return new Election(source, name, options);
}

/**
 * One candidate in an election, and a view of it. It campaigns or leads once at
 * a time; make another one of the same name for a second candidate.
 *
 * What is promised, and what is not: see {@link Term}.
 */
export class Election extends ListenedEmitter<ElectionEvents> {
  readonly #source: CacheSource;
  readonly #keys: LeaseKeys;
  readonly #settings: ElectionSettings;
  /** A listener that throws must not leave a term without anybody who ends it. */
  readonly #tell: (listeners: () => void) => void = isolated((listeners) => listeners());
  #campaigning = false;
  #term: HeldTerm | undefined;
  /** The work that `run` does under the term. */
  #job: Job | undefined;
  #following: AbortController | undefined;

  /** Use {@link election}, or the coordinator's method of that name. */
  constructor(source: CacheSource, name: string, options?: ElectionOptions) {
    super();
    this.#source = source;
    this.#keys = leaseKeys("leader", name);
    this.#settings = electionSettings(options);
  }

  get name(): string {
    return this.#keys.name;
  }

  /** Whether this candidate leads. Compares clocks; never true after the local deadline, whatever the store does. */
  get isLeader(): boolean {
    return this.#term?.isLeader() ?? false;
  }

  /** The term of this candidate, while it leads. */
  get term(): Term | undefined {
    return this.isLeader ? this.#term : undefined;
  }

  /**
   * Campaigns, runs `work` while leading, resigns when it settles; campaigns
   * again after the term was lost or resigned. Faults of the store are waited out.
   *
   * `run` never settles, and never starts work, while earlier work of it is
   * running: work has to stop when `term.signal` aborts.
   *
   * How it settles:
   * - the work returned while leading: with its value, after resigning;
   * - the work threw while leading: with that error, untouched;
   * - withdrawn (by `signal`, or by closing the coordinator) while waiting:
   *   rejects with the reason;
   * - withdrawn while leading: the work is told by its signal, has the rest of
   *   its lease to finish, and `run` settles as it does; with a
   *   `LeadershipLostError` that carries the value as `result` if the lease
   *   ended before the work did.
   *
   * @throws ElectionBusyError when this candidate campaigns or leads already
   * @throws ConfigError when `work` is not a function
   */
  async run<T>(work: (term: Term) => T | Promise<T>, options: RunOptions = {}): Promise<Awaited<T>> {
    checkFunction(work, "work");
    return this.#takePart(options.signal, async (withdrawn): Promise<Awaited<T>> => {
      const cache = await resolveCache(this.#source);
      for (;;) {
        const term = await this.#seek(cache, Number.POSITIVE_INFINITY, withdrawn);
        if (withdrawn.aborted) return giveUp(term, withdrawn);
        const ending = await serve({
          term,
          work,
          settings: this.#settings,
          withdrawn,
          onJob: (job) => {
            this.#job = job;
          },
          onOverrun: () => this.#onOverrun(term),
        });
        if (ending.kind === "finished") return ending.value;
        if ("error" in ending) this.#tell(() => this.emit("workFailed", { term, error: ending.error }));
        if (ending.kind === "resigned") await this.#stepBack(withdrawn);
        withdrawn.throwIfAborted();
      }
    });
  }

  /**
   * Waits until this candidate leads. The term is the caller's: it lasts, and is
   * renewed, until it is resigned or lost; closing the coordinator resigns it.
   *
   * @throws CampaignTimeoutError when the election was not won within `waitMs`
   * @throws ElectionBusyError when this candidate campaigns or leads already
   * @throws ConfigError when `waitMs` is wrong
   * @throws the signal's reason when `signal` aborts the wait
   */
  async campaign(options: CampaignOptions = {}): Promise<Term> {
    const waitMs = checkWait(options.waitMs === undefined ? Number.POSITIVE_INFINITY : options.waitMs, "waitMs");
    return this.#takePart(options.signal, async (withdrawn) => {
      const term = await this.#seek(await resolveCache(this.#source), waitMs, withdrawn);
      if (withdrawn.aborted) return giveUp(term, withdrawn);
      this.#settings.scope?.open.add(term);
      return term;
    });
  }

  /**
   * Hands over: the next candidate is woken at once. Work of `run` is told by
   * its signal and has the rest of its lease to finish before; `run` then lets
   * others go first for a second and is a candidate again. To withdraw for good,
   * abort its signal. The work itself returns instead, or calls `term.resign()`:
   * here it would be waiting for itself until its lease ends.
   *
   * @returns whether this candidate led
   */
  async resign(): Promise<boolean> {
    const term = this.#term;
    if (!term?.isLeader()) return false;
    const reason = new LeadershipLostError(
      `term ${term.fencingToken} of election "${this.name}" is to end: it is being resigned`,
      { code: "ERR_LEADERSHIP_RESIGNED", key: this.name },
    );
    await (this.#job ?? term).close(reason);
    return true;
  }

  /**
   * Reads who leads; `null` when nobody does. It may have changed by the time
   * you read this: for people, logs and routing, never to decide whether to act
   * as the leader.
   */
  async leader(): Promise<LeaderInfo | null> {
    const { leader } = await lookForLeader(await resolveCache(this.#source), this.#keys);
    return leader;
  }

  /**
   * Yields who leads now, then each change; `null` while nobody does. Changes
   * come in order, and the last one always comes; one that was over before it
   * could be read does not. Faults of the store are waited out.
   *
   * Ends, without an error, when `signal` aborts, when the coordinator or the
   * cache is closed, and when the consumer leaves its loop.
   */
  observe(options: ObserveOptions = {}): AsyncIterableIterator<LeaderInfo | null> {
    checkSignal(options.signal);
    const { clock, scope } = this.#settings;
    return observeLeader({ source: this.#source, keys: this.#keys, clock, scope, signal: options.signal });
  }

  async #takePart<T>(signal: AbortSignal | undefined, part: (withdrawn: AbortSignal) => Promise<T>): Promise<T> {
    checkSignal(signal);
    if (this.#campaigning || this.isLeader) {
      const does = this.isLeader ? "leads" : "campaigns";
      throw new ElectionBusyError(
        `election "${this.name}": this candidate ${does} already; make another one for a second candidate`,
        { key: this.name },
      );
    }
    this.#campaigning = true;
    const lifetime = new Lifetime(signal, this.#settings.scope);
    try {
      lifetime.signal.throwIfAborted();
      return await part(lifetime.signal);
    } finally {
      lifetime.end();
      this.#campaigning = false;
    }
  }

  async #seek(cache: Cache, waitMs: number, signal: AbortSignal): Promise<HeldTerm> {
    const onLost = (term: HeldTerm, reason: LossReason): void => this.#tell(() => this.emit("lost", { term, reason }));
    const term = await seekTerm({ cache, keys: this.#keys, settings: this.#settings, waitMs, signal, onLost });
    this.#term = term;
    this.#tell(() => this.emit("elected", term));
    return term;
  }

  async #stepBack(withdrawn: AbortSignal): Promise<void> {
    const { clock } = this.#settings;
    await sleep(clock, STEP_BACK_MS * (1 + clock.random() / 4), withdrawn);
  }

  #onOverrun(term: HeldTerm): void {
    const { observer, onOverrun } = this.#settings;
    observer({ type: "overrun", kind: "leader", name: this.name, fencingToken: term.fencingToken });
    this.#tell(() => this.emit("overrun", term));
    onOverrun(term);
  }

  protected override listenersChanged(): void {
    const wanted = this.listenerCount("changed") > 0;
    if (wanted && this.#following === undefined) {
      this.#following = new AbortController();
      void this.#follow(this.#following.signal);
    } else if (!wanted) {
      this.#following?.abort();
      this.#following = undefined;
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let known = false;
    try {
      for await (const leader of this.observe({ signal })) {
        // That nobody leads is no news to whoever has just begun to listen.
        if (known || leader !== null) this.#tell(() => this.emit("changed", leader));
        known = true;
      }
    } catch (error) {
      this.#settings.observer({ type: "store-error", kind: "leader", name: this.name, error });
    }
  }
}

/** It was withdrawn at the moment at which it won. */
async function giveUp(term: HeldTerm, withdrawn: AbortSignal): Promise<never> {
  await term.release();
  throw withdrawn.reason;
}
