import type { Entry } from "./contestants/index.ts";
import { ContestantProcess } from "./process/contestant-process.ts";
import { type CaseResults, type Figure, figureOf } from "./results.ts";
import type { Case, Metrics, Scale, Workload } from "./workloads/workload.ts";

/** How many processes are started at once. */
const STARTED_AT_ONCE = 4;

/** What is measured by one set of processes. */
interface Batch {
  readonly entries: readonly Entry[];
  readonly cases: readonly Case[];
}

interface Player {
  readonly entry: Entry;
  readonly process: ContestantProcess;
}

/** Is told of an entry that does not do what it is measured for. It has no figures then; the others go on. */
type OnFailure = (entry: Entry, error: unknown) => void;

/**
 * Measures the candidates who can do the workload: all are started and checked, then every round of every case goes
 * through them in turn (A B C A B C …), so that what changes on the machine meanwhile meets all alike.
 */
export async function measureWorkload(
  workload: Workload,
  candidates: readonly Entry[],
  url: string,
  scale: Scale,
  onFailure: OnFailure,
): Promise<Record<string, CaseResults>> {
  const results: Record<string, CaseResults> = {};
  for (const { entries, cases } of batches(workload, candidates, scale)) {
    const players = await startPlayers(entries, workload, url, onFailure);
    try {
      for (const theCase of cases) {
        const measured = await measureCase(workload, theCase, players, scale, onFailure);
        results[theCase.name] = { ...results[theCase.name], ...measured };
      }
    } finally {
      await Promise.all(players.map(({ process }) => process.kill()));
    }
  }
  return results;
}

function batches(workload: Workload, candidates: readonly Entry[], scale: Scale): Batch[] {
  const entries = candidates.filter((entry) => takesPart(entry, workload));
  const cases = workload.cases(scale);
  if (!workload.isolated) return [{ entries, cases }];
  return cases.flatMap((theCase) => entries.map((entry) => ({ entries: [entry], cases: [theCase] })));
}

function takesPart(entry: Entry, { offer, suits }: Workload): boolean {
  return entry.variant.offers.includes(offer) && (suits?.(entry) ?? true);
}

async function startPlayers(
  entries: readonly Entry[],
  workload: Workload,
  url: string,
  onFailure: OnFailure,
): Promise<Player[]> {
  const players: Player[] = [];
  for (let i = 0; i < entries.length; i += STARTED_AT_ONCE) {
    const starting = entries.slice(i, i + STARTED_AT_ONCE).map((entry) => startPlayer(entry, workload, url, onFailure));
    players.push(...(await Promise.all(starting)).flat());
  }
  return players;
}

/** None if it fails. */
async function startPlayer(entry: Entry, workload: Workload, url: string, onFailure: OnFailure): Promise<Player[]> {
  const { contestant, variant } = entry;
  const process = await ContestantProcess.start({ contestant: contestant.id, variant: variant.name, url });
  try {
    await process.call(workload.name, "check", {});
    return [{ entry, process }];
  } catch (error) {
    await process.kill();
    onFailure(entry, error);
    return [];
  }
}

async function measureCase(
  workload: Workload,
  theCase: Case,
  players: readonly Player[],
  scale: Scale,
  onFailure: OnFailure,
): Promise<CaseResults> {
  const rounds = theCase.rounds ?? scale.rounds;
  const scores = new Map(players.map((player) => [player, new Score()]));
  // A process of its own for a single round: what has to be warm there, the workload warms up.
  const first = workload.isolated ? 1 : 0;
  for (let round = first; round <= rounds; round++) {
    for (const [player, score] of scores) {
      if (round > 1 && score.spentMs > (theCase.budgetMs ?? Number.POSITIVE_INFINITY)) continue;
      try {
        const from = performance.now();
        const params = { ...theCase.params, round };
        const metrics = await player.process.call<Metrics>(workload.name, "measure", params);
        score.add(round, metrics, performance.now() - from);
      } catch (error) {
        scores.delete(player);
        onFailure(player.entry, error);
      }
    }
  }
  return Object.fromEntries([...scores].map(([{ entry }, score]) => [entry.name, score.figures()]));
}

/** What one player has given in the rounds of a case. */
class Score {
  spentMs = 0;
  readonly #rounds: { readonly isWarmUp: boolean; readonly metrics: Metrics }[] = [];

  add(round: number, metrics: Metrics, tookMs: number): void {
    this.spentMs += tookMs;
    this.#rounds.push({ isWarmUp: round === 0, metrics });
  }

  figures(): Record<string, Figure> {
    const names = new Set(this.#rounds.flatMap(({ metrics }) => Object.keys(metrics)));
    return Object.fromEntries([...names].map((name) => [name, figureOf(this.#valuesOf(name))]));
  }

  /** Those of the measured rounds, or else that of the warm-up. */
  #valuesOf(name: string): number[] {
    const withIt = this.#rounds.filter(({ metrics }) => name in metrics);
    const measured = withIt.filter(({ isWarmUp }) => !isWarmUp);
    return (measured.length > 0 ? measured : withIt).map(({ metrics }) => metrics[name] as number);
  }
}
