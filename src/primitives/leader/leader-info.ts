import type { Cache } from "../../cache/contract.ts";
import { decodeToken } from "../lease/fence.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { decodeRecord } from "../lease/record.ts";

/** Who leads, as the record in the store tells. */
export interface LeaderInfo {
  readonly holder: string;
  readonly fencingToken: number;
  /** By the leader's wall clock. */
  readonly electedAt: Date;
  /** What the leader's `metadata` option says. */
  readonly metadata?: unknown;
}

/** What one look at the store showed. */
export interface Look {
  /** Differs when the leader or the term does. */
  readonly id: string;
  readonly leader: LeaderInfo | null;
  /** The highest token that was issued, if that is known. */
  readonly fence: number | undefined;
  /** Somebody has claimed the leadership and does not lead yet. */
  readonly isPending: boolean;
}

/**
 * Reads the lease and, after it, the fence. Who has just taken the lease is no leader before its token was issued; if
 * it dies in between, it never was one. A fence that is gone (its retention has passed) says nothing.
 */
export async function lookForLeader(cache: Cache, keys: LeaseKeys): Promise<Look> {
  const [bytes, fenceBytes] = await Promise.all([cache.get(keys.lease), cache.get(keys.fence)]);
  const fence = fenceBytes && decodeToken(fenceBytes);
  if (bytes === undefined) return nobody(fence, false);
  const record = decodeRecord(bytes);
  if (record === undefined)
    return { ...nobody(fence, false), id: Buffer.from(bytes).toString("hex"), leader: UNREADABLE };
  const { holder, nonce, fencingToken, lastToken, acquiredAtMs, metadata } = record;
  if (fence !== undefined && fence < lastToken) return nobody(fence, true);
  return {
    id: `${Buffer.from(nonce).toString("hex")}:${fencingToken}`,
    leader: {
      holder,
      fencingToken,
      electedAt: new Date(acquiredAtMs),
      ...(metadata === undefined ? {} : { metadata }),
    },
    fence,
    isPending: false,
  };
}

export function nobody(fence: number | undefined, isPending: boolean): Look {
  return { id: "", leader: null, fence, isPending };
}

const UNREADABLE: LeaderInfo = {
  holder: "unknown (the record cannot be read)",
  fencingToken: 0,
  electedAt: new Date(Number.NaN),
};
