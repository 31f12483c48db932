import type { Cache } from "../../cache/contract.ts";
import { ConfigError, OperationError } from "../../cache/errors.ts";
import { elapsedMs, now } from "../../runtime/instant.ts";
import type { Grant } from "../lease/acquisition.ts";
import type { Held } from "../lease/job.ts";
import { Lease, type LossReason } from "../lease/lease.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { saysWhy } from "../lease/says-why.ts";
import type { IdempotentContext } from "./context.ts";
import { IdempotencyLostError } from "./errors.ts";
import type { Report } from "./events.ts";
import { type Finish, finish } from "./finish.ts";
import type { MessageSettings } from "./options.ts";
import { encodeRecord, type FinishedRecord, type MessageRecord, type RunningRecord } from "./record.ts";

const WHY: Readonly<Record<LossReason, string>> = {
  expired: "it could not be renewed in time",
  taken: "it is not in the store any more",
  "max-hold": "the run has taken maxRunMs",
};

export interface HeldClaimParts {
  readonly cache: Cache;
  readonly keys: LeaseKeys;
  readonly settings: MessageSettings;
  readonly record: RunningRecord;
  /** `undefined`: the store is down, and the handler is to run without a claim. */
  readonly grant: Pick<Grant<MessageRecord>, "bytes" | "sentAt"> | undefined;
  readonly report: Report;
  readonly onLost: () => void;
}

/**
 * A claim that is held: a lease, renewed while the handler runs and given up by
 * itself when it cannot be. At the end its record is replaced by one that stays,
 * or removed. To the handler it is the context of its run.
 */
export class HeldClaim implements IdempotentContext, Held {
  readonly #parts: HeldClaimParts;
  readonly #lease: Lease | undefined;
  /** Made when somebody asks for the signal. */
  #controller: AbortController | undefined;
  #abortReason: unknown;
  #lost: IdempotencyLostError | undefined;

  constructor(parts: HeldClaimParts) {
    this.#parts = parts;
    this.#lease = parts.grant && this.#hold(parts.grant);
  }

  get key(): string {
    return this.#parts.keys.name;
  }

  get attempt(): number {
    return this.#parts.record.attempt;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  get fencingToken(): number {
    if (this.#parts.settings.fencing) return this.#parts.record.fencingToken;
    throw new ConfigError(`${this.#about} runs without the option fencing: true, so it has no fencing token`, {
      key: this.key,
    });
  }

  get remainingMs(): number {
    return this.#lease ? this.#lease.remainingMs : this.#parts.settings.timing.ttlMs;
  }

  windDown(reason: unknown): void {
    this.#lease?.stopRenewing();
    this.#abort(reason);
  }

  async close(reason: unknown): Promise<void> {
    this.windDown(reason);
  }

  /** Whether the handler failed only because it was told to stop, and says so: that is no result. */
  stopped(error: unknown): boolean {
    return this.#abortReason !== undefined && saysWhy(error, this.#abortReason);
  }

  /** Removes the record, so that the next delivery runs. If it is not held any more, it goes by itself. */
  async release(): Promise<boolean> {
    return this.#lease === undefined || (this.#lease.isHeld() && (await this.#lease.release()));
  }

  /**
   * Puts a record in the place of the claim that stays for `resultTtlMs`; without
   * its result, if that is too long for the store. Never rejects.
   */
  async finish(record: FinishedRecord): Promise<{ readonly kind: Finish["kind"]; readonly record: FinishedRecord }> {
    const { report } = this.#parts;
    const replace = this.#end();
    let last = record;
    let end = await replace(last);
    if (end.kind === "unknown" && isTooLong(end.error)) {
      report({ type: "result-omitted", reason: "too-large", error: end.error });
      last = { ...record, result: { omitted: "too-large" } };
      end = await replace(last);
    }
    if (end.kind === "lost") this.#lease?.foundTaken();
    if (end.kind === "unknown" && this.#lease) {
      report({ type: "lost", attempt: this.attempt, reason: "unrecorded", error: end.error });
    }
    return { kind: end.kind, record: last };
  }

  /** The error for a result that was not recorded because the claim was lost. */
  lossError(result: unknown): IdempotencyLostError {
    const loss = this.#lost?.message ?? `${this.#about}: the claim was lost`;
    return new IdempotencyLostError(
      `${loss}. The handler had finished: its value is in error.result, but it was not recorded, ` +
        "and another delivery may have run the handler, too",
      { key: this.key, operation: "idempotent", result, cause: this.#lost },
    );
  }

  /** Stops renewing; gives the way to write what comes in the place of the claim, for as long as it lasts. */
  #end(): (record: FinishedRecord) => Promise<Finish> {
    const { cache, keys, settings, grant } = this.#parts;
    const { clock, resultTtlMs, timing } = settings;
    const startedAt = now(clock);
    const validMs = this.remainingMs;
    this.#lease?.end();
    if (grant === undefined) return async () => ({ kind: "unknown", error: undefined });
    return (record) =>
      finish({
        cache,
        clock,
        key: keys.lease,
        from: grant.bytes,
        to: encodeRecord(record),
        ttlMs: resultTtlMs,
        attemptLimitMs: timing.attemptLimitMs,
        leftMs: () => validMs - elapsedMs(clock, startedAt),
      });
  }

  #hold(grant: Pick<Grant<MessageRecord>, "bytes" | "sentAt">): Lease {
    const { cache, keys, settings, report } = this.#parts;
    let isStalled = false;
    return new Lease({
      cache,
      clock: settings.clock,
      key: keys.lease,
      bytes: grant.bytes,
      // Never extended, so never encoded again.
      encode: () => grant.bytes,
      sentAt: grant.sentAt,
      timing: settings.timing,
      renew: true,
      maxHoldMs: settings.maxRunMs,
      events: {
        lost: (reason) => this.#onLost(reason),
        renewed: (outcome, error) => {
          report({ type: "renewed", outcome });
          if (error !== undefined) report({ type: "store-error", error });
        },
        stalled: (lateMs) => {
          if (!isStalled) report({ type: "stalled", lateMs });
          isStalled = true;
        },
        releaseFailed: (error) => report({ type: "release-failed", error }),
      },
    });
  }

  #onLost(reason: LossReason): void {
    const { report, onLost } = this.#parts;
    this.#lost = new IdempotencyLostError(
      `${this.#about} (attempt ${this.attempt}): the claim was lost: ${WHY[reason]}; the handler must stop`,
      { key: this.key, operation: "idempotent" },
    );
    this.#abort(this.#lost);
    report({ type: "lost", attempt: this.attempt, reason });
    onLost();
  }

  #abort(reason: unknown): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(reason);
  }

  get #about(): string {
    return `idempotent "${this.#parts.settings.name}", key "${this.key}"`;
  }
}

function isTooLong(error: unknown): boolean {
  return error instanceof OperationError && error.code === "ERR_INVALID_VALUE";
}
