import type { Cache } from "../../cache/contract.ts";
import { ConfigError } from "../../cache/errors.ts";
import { elapsedMs, type Instant } from "../../runtime/instant.ts";
import type { Grant } from "../lease/acquisition.ts";
import type { Held } from "../lease/job.ts";
import { Lease, type LossReason } from "../lease/lease.ts";
import type { Line } from "../lease/line.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { encodeRecord } from "../lease/record.ts";
import { type LeaseOwner, LeaseReport } from "../lease/report.ts";
import { LockLostError } from "./errors.ts";
import type { Lock } from "./lock.ts";
import type { LockSettings } from "./options.ts";

const WHY: Readonly<Record<LossReason, string>> = {
  expired: "it could not be renewed in time",
  taken: "its record is not in the store any more",
  "max-hold": "it was held for maxHoldMs",
};

/** A granted lease as the user sees it. */
export class HeldLock implements Lock, Held, LeaseOwner {
  readonly #keys: LeaseKeys;
  readonly #settings: LockSettings;
  readonly #line: Line;
  readonly #lease: Lease;
  /** 0 when the lock was taken without a token. */
  readonly token: number;
  place: number | undefined = undefined;
  readonly #since: Instant;
  /** Made when somebody asks for the signal: most locks live without one. */
  #controller: AbortController | undefined;
  #lost: LockLostError | undefined;
  #closing: unknown;
  #released: Promise<boolean> | undefined;

  constructor(cache: Cache, keys: LeaseKeys, settings: LockSettings, line: Line, grant: Grant) {
    this.#keys = keys;
    this.#settings = settings;
    this.#line = line;
    this.token = grant.record.fencingToken;
    this.#since = grant.sentAt;
    const { record } = grant;
    this.#lease = new Lease({
      cache,
      clock: settings.clock,
      key: keys.lease,
      bytes: grant.bytes,
      encode: (ttlMs, revision) => encodeRecord({ ...record, ttlMs, revision }),
      sentAt: grant.sentAt,
      timing: settings.timing,
      renew: settings.renew,
      maxHoldMs: settings.maxHoldMs,
      events: new LeaseReport(settings.observer, "lock", keys.name, this),
    });
  }

  get lease(): Lease {
    return this.#lease;
  }

  get key(): string {
    return this.#keys.name;
  }

  get fencingToken(): number {
    if (this.#settings.fencing) return this.token;
    throw new ConfigError(`lock "${this.key}" was taken with fencing: false, so it has no fencing token`, {
      key: this.key,
    });
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const reason = this.#lost ?? this.#closing;
      if (reason) this.#controller.abort(reason);
    }
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return this.#lease.remainingMs;
  }

  isHeld(): boolean {
    return this.#lease.isHeld();
  }

  assertHeld(): void {
    if (!this.isHeld()) throw this.lossError();
  }

  async extend(ttlMs?: number): Promise<void> {
    if (!(await this.#lease.extend(ttlMs))) throw this.lossError();
  }

  release(): Promise<boolean> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  windDown(reason: unknown): void {
    this.#closing = reason;
    this.#lease.stopRenewing();
    this.#controller?.abort(reason);
  }

  async close(reason: unknown): Promise<void> {
    this.windDown(reason);
    await this.release();
  }

  /** Whether it ended before it was given back. */
  get wasLost(): boolean {
    return this.#lost !== undefined;
  }

  /** The error that tells why this lock is not held. */
  lossError(): LockLostError {
    if (this.#lost) return this.#lost;
    const why = this.#released ? "it was released" : "its time is over";
    return new LockLostError(`lock "${this.key}" is not held: ${why}`, { key: this.key });
  }

  async #release(): Promise<boolean> {
    this.#settings.scope?.open.delete(this);
    const released = await this.#line.release(this.#lease);
    this.#settings.observer({
      type: "released",
      kind: "lock",
      name: this.key,
      fencingToken: this.token,
      heldMs: elapsedMs(this.#settings.clock, this.#since),
      outcome: released ? "released" : "lost",
    });
    return released;
  }

  onLost(reason: LossReason): void {
    this.#line.lost(this.#lease);
    const why =
      reason === "expired" && !this.#settings.renew ? "its time was over, and it is not renewed" : WHY[reason];
    this.#lost = new LockLostError(
      `lock "${this.key}" (fencing token ${this.token}) was lost: ${why}; whatever it protected must stop`,
      { key: this.key },
    );
    this.#settings.scope?.open.delete(this);
    this.#controller?.abort(this.#lost);
    this.#settings.observer({ type: "lost", kind: "lock", name: this.key, fencingToken: this.token, reason });
  }
}
