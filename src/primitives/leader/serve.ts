import { sleep } from "../../runtime/clock.ts";
import { onAbort } from "../../runtime/on-abort.ts";
import { Job } from "../lease/job.ts";
import { saysWhy } from "../lease/says-why.ts";
import { LeadershipLostError } from "./errors.ts";
import type { HeldTerm } from "./held-term.ts";
import type { ElectionSettings } from "./options.ts";
import type { Term } from "./term.ts";

export interface Service<T> {
  readonly term: HeldTerm;
  readonly work: (term: Term) => T | Promise<T>;
  readonly settings: ElectionSettings;
  /** Aborts when the candidate is withdrawn for good. */
  readonly withdrawn: AbortSignal;
  readonly onJob: (job: Job | undefined) => void;
  readonly onOverrun: () => void;
}

/** How the work under one term ended; when it failed, `run` rejects instead. */
export type Ending<T> =
  | { readonly kind: "finished"; readonly value: T }
  /** To campaign again. `error`: what the work threw, unless it only passed on that its term is over. */
  | { readonly kind: "lost" | "resigned"; readonly error?: unknown };

/** Runs `work` until it settles, whatever becomes of its term meanwhile, and gives the term back. */
export async function serve<T>(service: Service<T>): Promise<Ending<Awaited<T>>> {
  const { term, work, settings, withdrawn } = service;
  const job = new Job(settings.clock, [term], settings.scope);
  service.onJob(job);
  const stopListening = onAbort(withdrawn, () => void job.close(withdrawn.reason));
  const settled = new AbortController();
  void watchOverrun(service, settled.signal);

  const [outcome] = await Promise.allSettled([(async () => work(term))()]);

  const ledToTheEnd = term.isLeader() && !term.signal.aborted;
  settled.abort();
  stopListening();
  job.done();
  service.onJob(undefined);
  const held = await term.release();

  if (outcome.status === "rejected") {
    if (ledToTheEnd || withdrawn.aborted) throw outcome.reason;
    const kind = term.isLost ? "lost" : "resigned";
    return saysWhy(outcome.reason, term.signal.reason) ? { kind } : { kind, error: outcome.reason };
  }
  if (held && (ledToTheEnd || withdrawn.aborted)) return { kind: "finished", value: outcome.value };
  if (withdrawn.aborted) throw lostWith(term, outcome.value);
  return { kind: term.isLost || !held ? "lost" : "resigned" };
}

/** Reports work that goes on after its term, when the lease is over by every clock. */
async function watchOverrun<T>({ term, settings, onOverrun }: Service<T>, settled: AbortSignal): Promise<void> {
  await term.over;
  await sleep(settings.clock, settings.timing.marginMs, settled);
  if (!settled.aborted) onOverrun();
}

function lostWith(term: HeldTerm, result: unknown): LeadershipLostError {
  const loss = term.lossError();
  return new LeadershipLostError(
    `${loss.message}. The work had finished: its value is in error.result, but exclusion was not guaranteed`,
    { result, key: term.name, cause: loss },
  );
}
