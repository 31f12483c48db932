import type { Cache } from "../../cache/contract.ts";
import { elapsedMs, now } from "../../runtime/instant.ts";
import { Acquisition } from "../lease/acquisition.ts";
import type { LossReason } from "../lease/lease.ts";
import { lineFor } from "../lease/lines.ts";
import type { LeaseKeys } from "../lease/names.ts";
import { leaseFormat } from "../lease/record.ts";
import { type Seeker, type Seen, whyNot } from "../lease/seeker.ts";
import { ringBell } from "./bell.ts";
import { CampaignTimeoutError } from "./errors.ts";
import { HeldTerm } from "./held-term.ts";
import type { ElectionSettings } from "./options.ts";

export interface Quest {
  readonly cache: Cache;
  readonly keys: LeaseKeys;
  readonly settings: ElectionSettings;
  /** 0 tries once, `Infinity` waits for ever. */
  readonly waitMs: number;
  /** Ends the wait; the quest then rejects with its reason. */
  readonly signal: AbortSignal;
  readonly onLost: (term: HeldTerm, reason: LossReason) => void;
}

/** Waits in the line of this process until the leadership is ours. */
export async function seekTerm({ cache, keys, settings, waitMs, signal, onLost }: Quest): Promise<HeldTerm> {
  const { clock, observer } = settings;
  const startedAt = now(clock);
  const line = lineFor(cache, clock, keys);
  let term: HeldTerm | undefined;
  let seen: Seen = {};
  const seeker: Seeker = {
    acquisition: new Acquisition({
      cache,
      keys,
      timing: settings.timing,
      clock: settings.clock,
      fencing: true,
      format: leaseFormat(settings),
    }),
    hold: (grant) => {
      term = new HeldTerm({ cache, keys, settings, line, grant, onLost });
      return term.lease;
    },
    faulted: (error) => observer({ kind: "leader", name: keys.name, type: "store-error", error }),
    timedOut: (seen) => timeoutError(keys.name, waitMs, seen),
  };
  try {
    await (waitMs > 0 ? line.join(seeker, { waitMs, signal }) : line.tryOnce(seeker, (now) => (seen = now), signal));
    if (term === undefined) throw timeoutError(keys.name, waitMs, seen);
  } catch (error) {
    const outcome = failureOf(error, signal);
    observer({ kind: "leader", name: keys.name, type: "not-acquired", outcome, waitedMs: elapsedMs(clock, startedAt) });
    throw error;
  }
  void ringBell(cache, keys.name);
  const { fencingToken } = term;
  observer({ kind: "leader", name: keys.name, type: "acquired", fencingToken, waitedMs: elapsedMs(clock, startedAt) });
  return term;
}

function failureOf(error: unknown, signal: AbortSignal): "timeout" | "aborted" | "failed" {
  if (error instanceof CampaignTimeoutError) return "timeout";
  return signal.aborted ? "aborted" : "failed";
}

function timeoutError(name: string, waitMs: number, seen: Seen): CampaignTimeoutError {
  const waited = waitMs === 0 ? "at once" : `within ${waitMs} ms`;
  return new CampaignTimeoutError(`election "${name}" was not won ${waited}: ${whyNot(seen, "led")}`, {
    key: name,
    operation: "campaign",
    by: seen.by,
    cause: seen.error,
  });
}
