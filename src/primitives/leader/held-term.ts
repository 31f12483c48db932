import type { Cache } from "../../cache/contract.ts";
import { elapsedMs, type Instant } from "../../runtime/instant.ts";
import type { Grant } from "../lease/acquisition.ts";
import type { Held } from "../lease/job.ts";
import { Lease, type LossReason } from "../lease/lease.ts";
import type { Line } from "../lease/line.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { encodeRecord } from "../lease/record.ts";
import { type LeaseOwner, LeaseReport } from "../lease/report.ts";
import { LeadershipLostError } from "./errors.ts";
import type { ElectionSettings } from "./options.ts";
import type { Term } from "./term.ts";

const WHY: Readonly<Record<LossReason, string>> = {
  expired: "it could not be renewed in time",
  taken: "its record is not in the store any more",
  "max-hold": "it was held too long",
};

export interface HeldTermParts {
  readonly cache: Cache;
  readonly keys: LeaseKeys;
  readonly settings: ElectionSettings;
  readonly line: Line;
  readonly grant: Grant;
  readonly onLost: (term: HeldTerm, reason: LossReason) => void;
}

/** A granted lease as a term of office. */
export class HeldTerm implements Term, Held, LeaseOwner {
  readonly name: string;
  readonly fencingToken: number;
  readonly lease: Lease;
  /** Resolves when the term is over: lost, or given back. */
  readonly over: Promise<void>;
  readonly #settings: ElectionSettings;
  readonly #line: Line;
  readonly #since: Instant;
  readonly #onLost: (term: HeldTerm, reason: LossReason) => void;
  readonly #controller = new AbortController();
  #markOver: () => void = () => {};
  #lost: LeadershipLostError | undefined;
  #released: Promise<boolean> | undefined;

  constructor({ cache, keys, settings, line, grant, onLost }: HeldTermParts) {
    this.name = keys.name;
    this.fencingToken = grant.record.fencingToken;
    this.over = new Promise((resolve) => {
      this.#markOver = resolve;
    });
    this.#settings = settings;
    this.#line = line;
    this.#since = grant.sentAt;
    this.#onLost = onLost;
    this.lease = new Lease({
      cache,
      clock: settings.clock,
      key: keys.lease,
      bytes: grant.bytes,
      encode: (ttlMs, revision) => encodeRecord({ ...grant.record, ttlMs, revision }),
      sentAt: grant.sentAt,
      timing: settings.timing,
      renew: true,
      maxHoldMs: Number.POSITIVE_INFINITY,
      events: new LeaseReport(settings.observer, "leader", keys.name, this),
    });
  }

  get electedAt(): Date {
    return new Date(this.#since.wallMs);
  }

  get signal(): AbortSignal {
    // Loses the term if its time is over.
    this.isLeader();
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return this.lease.remainingMs;
  }

  /** Whether the term was lost, rather than given back. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  isLeader(): boolean {
    return this.lease.isHeld();
  }

  assertLeader(): void {
    if (!this.isLeader()) throw this.lossError();
  }

  resign(): Promise<boolean> {
    return this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  windDown(reason: unknown): void {
    this.lease.stopRenewing();
    this.#controller.abort(reason);
  }

  release(): Promise<boolean> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async close(reason: unknown): Promise<void> {
    this.windDown(reason);
    await this.release();
  }

  /** The error that tells why this term is over. */
  lossError(): LeadershipLostError {
    if (this.#lost) return this.#lost;
    return this.#released ? this.#resigned() : this.#error("its time is over");
  }

  async #release(): Promise<boolean> {
    const { clock, observer, scope } = this.#settings;
    scope?.open.delete(this);
    // Before anything is sent: whoever listens has stopped when the next leader is elected.
    this.#controller.abort(this.#resigned());
    const releasing = this.#line.release(this.lease);
    this.#markOver();
    const released = await releasing;
    observer({
      type: "released",
      kind: "leader",
      name: this.name,
      fencingToken: this.fencingToken,
      heldMs: elapsedMs(clock, this.#since),
      outcome: released ? "released" : "lost",
    });
    return released;
  }

  onLost(reason: LossReason): void {
    this.#line.lost(this.lease);
    const { observer, scope } = this.#settings;
    this.#lost = this.#error(`${WHY[reason]}; whatever it allowed must stop`);
    scope?.open.delete(this);
    this.#controller.abort(this.#lost);
    this.#markOver();
    observer({ type: "lost", kind: "leader", name: this.name, fencingToken: this.fencingToken, reason });
    this.#onLost(this, reason);
  }

  #resigned(): LeadershipLostError {
    return this.#error("it was resigned", "ERR_LEADERSHIP_RESIGNED");
  }

  #error(why: string, code?: string): LeadershipLostError {
    return new LeadershipLostError(`term ${this.fencingToken} of election "${this.name}" is over: ${why}`, {
      key: this.name,
      ...(code === undefined ? {} : { code }),
    });
  }
}
