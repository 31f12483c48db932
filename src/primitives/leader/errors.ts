import { type ErrorDetails, HoldfastError } from "../../cache/errors.ts";
import type { LeaseRecord } from "../lease/record.ts";

/**
 * A term is over. What it allowed must stop: somebody else may lead.
 *
 * | code | meaning |
 * |---|---|
 * | `ERR_LEADERSHIP_LOST` | it could not be renewed in time, or its record is gone from the store |
 * | `ERR_LEADERSHIP_RESIGNED` | it was given up on purpose |
 */
export class LeadershipLostError extends HoldfastError {
  static override readonly kind: string = "LeadershipLostError";
  static override readonly code: string = "ERR_LEADERSHIP_LOST";
  /** What the work returned, if it finished although its term was lost. */
  declare readonly result?: unknown;

  constructor(message: string, details: ErrorDetails & { readonly result?: unknown } = {}) {
    super(message, details);
    if ("result" in details) this.result = details.result;
  }
}

/** A campaign was not won within `waitMs`. Nothing of it is left behind. */
export class CampaignTimeoutError extends HoldfastError {
  static override readonly kind: string = "CampaignTimeoutError";
  static override readonly code: string = "ERR_CAMPAIGN_TIMEOUT";
  /** Who led when last seen, if that could be read. */
  declare readonly holder?: string;
  declare readonly fencingToken?: number;

  constructor(message: string, details: ErrorDetails & { readonly by?: LeaseRecord | undefined } = {}) {
    super(message, details);
    if (details.by === undefined) return;
    this.holder = details.by.holder;
    this.fencingToken = details.by.fencingToken;
  }
}

/** This `Election` already campaigns or leads: it is one candidate, and would be waiting for itself. */
export class ElectionBusyError extends HoldfastError {
  static override readonly kind: string = "ElectionBusyError";
  static override readonly code: string = "ERR_ELECTION_BUSY";
}
