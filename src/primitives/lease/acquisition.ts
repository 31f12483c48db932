/**
 * The store's side of taking a lease: what is sent, in which order, and what
 * each answer proves.
 *
 * A grant reserves the tokens of a whole turn: the first is the holder's, the
 * others are for waiters of the same process to whom it passes the lease on.
 *
 * Fast path, one round trip where the cache is `ordered`: the record with a
 * guessed token and the issuing of that token are sent together, the record
 * first. Otherwise the token is issued after the lease was taken, and the lease
 * is confirmed by a compare-and-set that is sent after that.
 *
 * Why a token never runs against the order of tenure: a token is issued by a
 * compare-and-set on the fence, from a value that was read either
 * (a) before the lease was taken: then whoever took the lease after us and
 *     issued a token has moved the fence, and our compare fails; or
 * (b) after it: then the lease is confirmed afterwards, and if somebody else
 *     has taken it meanwhile that compare fails and the token is thrown away.
 */

import type { LRUCache } from "lru-cache";
import { equalBytes } from "../../cache/bytes.ts";
import type { Cache } from "../../cache/contract.ts";
import type { Clock } from "../../runtime/clock.ts";
import { elapsedMs, type Instant, now } from "../../runtime/instant.ts";
import {
  encodeToken,
  FENCE_RETENTION_MS,
  type Fence,
  fenceMemory,
  HIGHEST_FENCE,
  nextToken,
  readFence,
  TOKENS_PER_TURN,
} from "./fence.ts";
import type { LeaseKeys } from "./names.ts";
import type { Claim, LeaseRecord, RecordFormat } from "./record.ts";
import type { LeaseTiming } from "./timing.ts";

export interface AcquisitionOptions<R extends Claim> {
  readonly cache: Cache;
  readonly keys: LeaseKeys;
  readonly timing: LeaseTiming;
  readonly clock: Clock;
  readonly format: RecordFormat<R>;
  /** Whether a fencing token is issued. */
  readonly fencing: boolean;
}

/** A lease that was taken: what the store holds now, and since when. */
export interface Grant<R extends Claim = LeaseRecord> {
  readonly bytes: Uint8Array;
  readonly record: R;
  /** A moment before the write that started the lease was sent. */
  readonly sentAt: Instant;
}

export type Outcome<R extends Claim = LeaseRecord> =
  | { readonly kind: "granted"; readonly grant: Grant<R> }
  /** Somebody has it; who is `undefined` if the record cannot be read. */
  | { readonly kind: "occupied"; readonly by: R | undefined }
  /** It was mine, but too little of the lease was left to hand it out, or it was gone again. Try again. */
  | { readonly kind: "missed" };

const MISSED = { kind: "missed" } as const;
const QUIET = { announce: "none" } as const;

interface Draft<R extends Claim> {
  readonly record: R;
  readonly bytes: Uint8Array;
  /** The fence as it was last seen before this record was first sent. */
  readonly fence: Fence | undefined;
  readonly madeAt: Instant;
}

/**
 * A token that was drawn longer ago than this is drawn anew once the lease is mine. While the store keeps what it has
 * acknowledged, that changes nothing. But when a fail-over has lost a fence, the clock is all that is left to keep the
 * tokens in order, and a command that had to wait for the new primary would bring a time from before the fail-over.
 */
const FRESH_MS = 100;

/**
 * One acquisition: any number of attempts with one nonce. An attempt whose
 * outcome is unknown is repeated with the same bytes; a record found under the
 * key is mine exactly if it has my nonce.
 */
export class Acquisition<R extends Claim = LeaseRecord> {
  readonly #options: AcquisitionOptions<R>;
  readonly #nonce: Uint8Array;
  #draft: Draft<R> | undefined;
  /** Records of mine that the store may hold. */
  #sent: Uint8Array[] = [];

  constructor(options: AcquisitionOptions<R>) {
    this.#options = options;
    this.#nonce = options.clock.randomBytes(16);
  }

  /**
   * Tries once. Rejects with the store's error when the outcome is unknown.
   *
   * @param way `"fast"` issues the token together with the lease, and may burn it
   *   when the lease is occupied; `"careful"` does not touch the fence until
   *   the lease is mine
   */
  async attempt(way: "fast" | "careful"): Promise<Outcome<R>> {
    const { cache, clock, keys, timing, fencing } = this.#options;
    this.#draft ??= this.#newDraft(this.#rememberedFence());
    const draft = this.#draft;
    const sentAt = now(clock);
    this.#sent.push(draft.bytes);
    const taking = cache.getOrSet(keys.lease, draft.bytes, timing.ttlMs);
    const issuing = fencing && way === "fast" && cache.ordered ? this.#issueFirst(draft) : undefined;
    // Looked at only once the lease is mine; until then a rejection must not count as unhandled.
    issuing?.catch(() => {});

    const { value, wasSet } = await taking;
    if (!wasSet) return this.#occupied(value);
    const isFresh = elapsedMs(clock, draft.madeAt) < FRESH_MS;
    const isIssued = fencing && (await (issuing ?? (isFresh && this.#issueFirst(draft))));
    if (!fencing || (isIssued && isFresh)) {
      return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt });
    }
    return this.#confirm(draft.bytes, this.#rememberedFence());
  }

  /** Whether {@link inherit} has a token to give: the turn of `from` has some left, or none is wanted. */
  canInherit(from: R): boolean {
    return !this.#options.fencing || from.fencingToken < from.lastToken;
  }

  /**
   * Takes the lease straight from a holder of this process, with the next of
   * the tokens that were reserved for its turn. No other tenure can lie between
   * the two, since the record is compared; and none can have a token in between,
   * since the fence is past them all. `undefined`: the lease was lost before.
   */
  async inherit(from: Pick<Grant<R>, "bytes" | "record">): Promise<Outcome<R> | undefined> {
    const { clock, fencing } = this.#options;
    const token = fencing ? from.record.fencingToken + 1 : 0;
    const draft = this.#draftWith(token, fencing ? from.record.lastToken : 0, undefined);
    const sentAt = now(clock);
    if (await this.#rewrite(from.bytes, draft.bytes)) {
      return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt });
    }
    this.#forget();
    return undefined;
  }

  /** Takes back whatever attempts of unknown outcome may have left in the store. */
  async takeBack(): Promise<void> {
    const { cache, keys } = this.#options;
    for (const bytes of this.#sent) await cache.compareAndSet(keys.lease, bytes, null);
    this.#forget();
  }

  /** Gives back what was granted to somebody who does not want it any more. */
  async giveBack(grant: Grant<R>): Promise<void> {
    await this.#options.cache.compareAndSet(this.#options.keys.lease, grant.bytes, null);
  }

  /** Whether the store may hold a record of this acquisition. */
  get uncertain(): boolean {
    return this.#sent.length > 0;
  }

  get #fences(): LRUCache<string, number> {
    return fenceMemory(this.#options.cache);
  }

  #rememberedFence(): Fence | undefined {
    const token = this.#fences.get(this.#options.keys.fence);
    // A guess that leaves no room is no reason to give up.
    return token === undefined || token > HIGHEST_FENCE ? undefined : { token, bytes: encodeToken(token) };
  }

  /** The fence is at least where somebody who was just seen has put it. */
  #noteFence(token: number): void {
    const { fence } = this.#options.keys;
    if ((this.#fences.get(fence) ?? 0) < token) this.#fences.set(fence, token);
  }

  /** Issues the tokens of a draft, from the fence as seen before the lease was taken. */
  #issueFirst(draft: Draft<R>): Promise<boolean> {
    return draft.fence === undefined ? this.#issueUnseen(draft) : this.#issue(draft);
  }

  /** The fence is nearly always there: whoever finds out that it is not has then issued its tokens, too. */
  async #issueUnseen(draft: Draft<R>): Promise<boolean> {
    const { cache, keys } = this.#options;
    const { value, wasSet } = await cache.getOrSet(keys.fence, encodeToken(draft.record.lastToken), FENCE_RETENTION_MS);
    this.#noteFence(readFence(value).token);
    return wasSet;
  }

  async #issue(draft: Draft<R>): Promise<boolean> {
    const { cache, keys } = this.#options;
    const { lastToken } = draft.record;
    const seen = draft.fence?.bytes ?? null;
    const issued = await cache.compareAndSet(keys.fence, seen, encodeToken(lastToken), FENCE_RETENTION_MS, QUIET);
    if (issued) this.#fences.set(keys.fence, lastToken);
    else this.#fences.delete(keys.fence);
    return issued;
  }

  /**
   * The lease is mine with the record `held`. Issues a token and confirms the
   * lease with it, until both have succeeded or the lease is not mine any more.
   */
  async #confirm(held: Uint8Array, seen: Fence | undefined): Promise<Outcome<R>> {
    const { cache, clock, timing, fencing } = this.#options;
    const startedAt = now(clock);
    // Never sent again: a rewrite of unknown outcome that arrives late would replace it.
    this.#draft = undefined;
    let mine = held;
    let fence = seen;
    while (elapsedMs(clock, startedAt) < timing.ttlMs) {
      if (fencing) fence ??= await this.#readFence();
      const draft = this.#newDraft(fence);
      const issuing = fencing ? this.#issue(draft) : Promise.resolve(true);
      issuing.catch(() => {});
      fence = undefined;
      if (!cache.ordered && !(await issuing)) continue;
      const sentAt = now(clock);
      if (!(await this.#rewrite(mine, draft.bytes))) break;
      mine = draft.bytes;
      if (await issuing) return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt });
    }
    return MISSED;
  }

  async #readFence(): Promise<Fence | undefined> {
    const bytes = await this.#options.cache.get(this.#options.keys.fence);
    return bytes && readFence(bytes);
  }

  /** Replaces my record by another of mine, which starts its TTL anew. `false`: the lease is not mine any more. */
  async #rewrite(from: Uint8Array, to: Uint8Array): Promise<boolean> {
    const { cache, keys, timing } = this.#options;
    this.#sent.push(to);
    if (await cache.compareAndSet(keys.lease, from, to, timing.ttlMs, QUIET)) return true;
    // A command that was sent twice fails the second time, against its own success.
    const found = await cache.get(keys.lease);
    return found !== undefined && equalBytes(found, to);
  }

  #handOut(grant: Grant<R>): Outcome<R> {
    const { clock, timing } = this.#options;
    if (elapsedMs(clock, grant.sentAt) >= timing.ttlMs - timing.marginMs) {
      // Whatever is still in the store is found by its nonce, or taken back.
      this.#draft = undefined;
      return MISSED;
    }
    this.#forget();
    return { kind: "granted", grant };
  }

  #occupied(value: Uint8Array): Outcome<R> | Promise<Outcome<R>> {
    const record = this.#options.format.decode(value);
    if (record && equalBytes(record.nonce, this.#nonce)) return this.#confirm(value, undefined);
    // An answer: whatever this acquisition sent before has not become, or is no longer, the lease.
    this.#forget();
    if (record && record.lastToken > 0) this.#noteFence(record.lastToken);
    return { kind: "occupied", by: record };
  }

  #newDraft(fence: Fence | undefined): Draft<R> {
    const { clock, fencing, keys } = this.#options;
    if (!fencing) return this.#draftWith(0, 0, fence);
    const token = nextToken(fence?.token ?? 0, clock, keys.fence);
    return this.#draftWith(token, token + TOKENS_PER_TURN - 1, fence);
  }

  #draftWith(fencingToken: number, lastToken: number, fence: Fence | undefined): Draft<R> {
    const { clock, format } = this.#options;
    const madeAt = now(clock);
    const record = format.make({ nonce: this.#nonce, fencingToken, lastToken });
    return { record, bytes: format.encode(record), fence, madeAt };
  }

  #forget(): void {
    this.#draft = undefined;
    this.#sent = [];
  }
}
