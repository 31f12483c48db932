import type { Cache } from "../../cache/contract.ts";
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
}

const NOBODY: Look = { id: "", leader: null };

export async function lookForLeader(cache: Cache, keys: LeaseKeys): Promise<Look> {
  const bytes = await cache.get(keys.lease);
  if (bytes === undefined) return NOBODY;
  const record = decodeRecord(bytes);
  if (record === undefined) return { id: Buffer.from(bytes).toString("hex"), leader: UNREADABLE };
  const { holder, nonce, fencingToken, acquiredAtMs, metadata } = record;
  return {
    id: `${Buffer.from(nonce).toString("hex")}:${fencingToken}`,
    leader: {
      holder,
      fencingToken,
      electedAt: new Date(acquiredAtMs),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

const UNREADABLE: LeaderInfo = {
  holder: "unknown (the record cannot be read)",
  fencingToken: 0,
  electedAt: new Date(Number.NaN),
};
