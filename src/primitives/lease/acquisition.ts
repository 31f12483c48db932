/**
 * The store's side of taking a lease: what is sent, in which order, and what
 * each answer proves.
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
import { decodeToken, encodeToken, FENCE_RETENTION_MS, fenceMemory, nextToken } from "./fence.ts";
import type { LeaseKeys } from "./names.ts";
import { decodeRecord, encodeRecord, type LeaseRecord } from "./record.ts";
import type { LeaseTiming } from "./timing.ts";

export interface AcquisitionOptions {
  readonly cache: Cache;
  readonly keys: LeaseKeys;
  readonly timing: LeaseTiming;
  readonly clock: Clock;
  readonly holder: string;
  readonly metadata?: unknown;
  /** Whether a fencing token is issued. */
  readonly fencing: boolean;
}

/** A lease that was taken: what the store holds now, and since when. */
export interface Grant {
  readonly bytes: Uint8Array;
  readonly record: LeaseRecord;
  /** A moment before the write that started the lease was sent. */
  readonly sentAt: Instant;
}

export type Outcome =
  | { readonly kind: "granted"; readonly grant: Grant }
  /** Somebody has it; who is `undefined` if the record cannot be read. */
  | { readonly kind: "occupied"; readonly by: LeaseRecord | undefined }
  /** It was mine, but too little of the lease was left to hand it out, or it was gone again. Try again. */
  | { readonly kind: "missed" };

const MISSED: Outcome = { kind: "missed" };
const QUIET = { announce: "none" } as const;

interface Draft {
  readonly record: LeaseRecord;
  readonly bytes: Uint8Array;
  /** The fence as it was last seen before this record was first sent. */
  readonly fence: Uint8Array | undefined;
}

/**
 * One acquisition: any number of attempts with one nonce. An attempt whose
 * outcome is unknown is repeated with the same bytes; a record found under the
 * key is mine exactly if it has my nonce.
 */
export class Acquisition {
  readonly #options: AcquisitionOptions;
  readonly #nonce: Uint8Array;
  #draft: Draft | undefined;
  /** Records of mine that the store may hold. */
  #sent: Uint8Array[] = [];

  constructor(options: AcquisitionOptions) {
    this.#options = options;
    this.#nonce = options.clock.randomBytes(16);
  }

  /**
   * Tries once. Rejects with the store's error when the outcome is unknown.
   *
   * @param way `"fast"` issues the token together with the lease, and burns it
   *   when the lease is occupied; `"careful"` does not touch the fence until
   *   the lease is mine, so waiting burns no tokens
   */
  async attempt(way: "fast" | "careful"): Promise<Outcome> {
    const { cache, clock, keys, timing, fencing } = this.#options;
    this.#draft ??= this.#newDraft(this.#fences.get(keys.fence));
    const draft = this.#draft;
    const sentAt = now(clock);
    this.#sent.push(draft.bytes);
    const taking = cache.getOrSet(keys.lease, draft.bytes, timing.ttlMs);
    const issuing = fencing && way === "fast" && cache.ordered ? this.#issueFirst(draft) : undefined;
    // Looked at only once the lease is mine; until then a rejection must not count as unhandled.
    issuing?.catch(() => {});

    const { value, wasSet } = await taking;
    if (!wasSet) return this.#occupied(value);
    if (!fencing || (await (issuing ?? this.#issueFirst(draft)))) {
      return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt });
    }
    return this.#confirm(draft.bytes, this.#fences.get(keys.fence));
  }

  /**
   * Takes the lease straight from a holder of this process, whose record is
   * `from`. `undefined`: the lease was not `from` any more.
   */
  async inherit(from: Uint8Array): Promise<Outcome | undefined> {
    const { cache, clock, keys, timing, fencing } = this.#options;
    const draft = this.#newDraft(this.#fences.get(keys.fence));
    this.#draft = draft;
    const sentAt = now(clock);
    this.#sent.push(draft.bytes);
    const issuing = fencing ? this.#issueFirst(draft) : undefined;
    issuing?.catch(() => {});
    // The token is to be issued before the lease changes hands: unordered, that takes waiting for it.
    if (!cache.ordered) await issuing;
    if (!(await cache.compareAndSet(keys.lease, from, draft.bytes, timing.ttlMs, QUIET))) {
      this.#forget();
      return undefined;
    }
    if (!issuing || (await issuing)) return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt });
    return this.#confirm(draft.bytes, this.#fences.get(keys.fence));
  }

  /** Takes back whatever attempts of unknown outcome may have left in the store. */
  async takeBack(): Promise<void> {
    const { cache, keys } = this.#options;
    for (const bytes of this.#sent) await cache.compareAndSet(keys.lease, bytes, null);
    this.#forget();
  }

  /** Gives back what was granted to somebody who does not want it any more. */
  async giveBack(grant: Grant): Promise<void> {
    await this.#options.cache.compareAndSet(this.#options.keys.lease, grant.bytes, null);
  }

  /** Whether the store may hold a record of this acquisition. */
  get uncertain(): boolean {
    return this.#sent.length > 0;
  }

  get #fences(): LRUCache<string, Uint8Array> {
    return fenceMemory(this.#options.cache);
  }

  /** Issues the token of a draft, from the fence as seen before the lease was taken. */
  async #issueFirst(draft: Draft): Promise<boolean> {
    const { cache, keys } = this.#options;
    const token = encodeToken(draft.record.fencingToken);
    if (draft.fence !== undefined) return this.#issue(draft.fence, token);
    const { value, wasSet } = await cache.getOrSet(keys.fence, token, FENCE_RETENTION_MS);
    this.#fences.set(keys.fence, value);
    return wasSet;
  }

  async #issue(from: Uint8Array | null, token: Uint8Array): Promise<boolean> {
    const { cache, keys } = this.#options;
    const issued = await cache.compareAndSet(keys.fence, from, token, FENCE_RETENTION_MS, QUIET);
    if (issued) this.#fences.set(keys.fence, token);
    else this.#fences.delete(keys.fence);
    return issued;
  }

  /**
   * The lease is mine with the record `held`. Issues a token and confirms the
   * lease with it, until both have succeeded or the lease is not mine any more.
   */
  async #confirm(held: Uint8Array, seen: Uint8Array | undefined): Promise<Outcome> {
    const { cache, clock, keys, timing, fencing } = this.#options;
    const startedAt = now(clock);
    let mine = held;
    let fence = seen;
    while (elapsedMs(clock, startedAt) < timing.ttlMs) {
      if (fencing) fence ??= await cache.get(keys.fence);
      const draft = this.#newDraft(fence);
      const issuing = this.#issueAgain(draft);
      issuing.catch(() => {});
      fence = undefined;
      if (!cache.ordered && !(await issuing)) continue;
      const sentAt = now(clock);
      if (!(await this.#rewrite(mine, draft.bytes))) break;
      mine = draft.bytes;
      if (await issuing) return this.#handOut({ bytes: draft.bytes, record: draft.record, sentAt });
    }
    this.#draft = undefined;
    return MISSED;
  }

  /** Issues the token of a draft, from the fence as seen after the lease was taken. */
  async #issueAgain(draft: Draft): Promise<boolean> {
    return !this.#options.fencing || this.#issue(draft.fence ?? null, encodeToken(draft.record.fencingToken));
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

  #handOut(grant: Grant): Outcome {
    const { clock, timing } = this.#options;
    if (elapsedMs(clock, grant.sentAt) >= timing.ttlMs - timing.marginMs) {
      // Whatever is still in the store is found by its nonce, or taken back.
      this.#draft = undefined;
      return MISSED;
    }
    this.#forget();
    return { kind: "granted", grant };
  }

  #occupied(value: Uint8Array): Outcome | Promise<Outcome> {
    const record = decodeRecord(value);
    if (record && equalBytes(record.nonce, this.#nonce)) return this.#confirm(value, undefined);
    // An answer: whatever this acquisition sent before has not become, or is no longer, the lease.
    this.#forget();
    if (record && record.fencingToken > 0) this.#noteToken(record.fencingToken);
    return { kind: "occupied", by: record };
  }

  /** The fence is at least at the token of the holder that was just seen. */
  #noteToken(token: number): void {
    const { keys } = this.#options;
    const known = this.#fences.get(keys.fence);
    if (known === undefined || decodeToken(known) < token) this.#fences.set(keys.fence, encodeToken(token));
  }

  #newDraft(fence: Uint8Array | undefined): Draft {
    const { clock, holder, timing, metadata, fencing } = this.#options;
    const record: LeaseRecord = {
      holder,
      nonce: this.#nonce,
      fencingToken: fencing ? nextToken(fence ? decodeToken(fence) : 0, clock) : 0,
      acquiredAtMs: clock.wallMs(),
      ttlMs: timing.ttlMs,
      ...(metadata === undefined ? {} : { metadata }),
    };
    return { record, bytes: encodeRecord(record), fence };
  }

  #forget(): void {
    this.#draft = undefined;
    this.#sent = [];
  }
}
