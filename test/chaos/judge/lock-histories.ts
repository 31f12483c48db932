import { judgeAll, type Operation } from "../../linearizability/checker.ts";
import { fencedMutex, type LockInput, type LockOutput, mutex } from "../../linearizability/models.ts";
import { type Evidence, lastRelied, type Tenure } from "../evidence.ts";
import type { Strike } from "../nemeses/nemesis.ts";
import { type Finding, twoPrimaries } from "./finding.ts";

type LockOperation = Operation<LockInput, LockOutput>;

/**
 * The history of each lock and election is that of a mutex as long as the store keeps what it acknowledged, and that of
 * a fenced mutex always, but for tenures that began while there may have been two primaries.
 */
export function judgeLockHistories({ tenures, strikes }: Evidence): Finding[] {
  const losses = strikes.filter(({ acknowledged }) => acknowledged !== "kept");
  const pieces = piecesBetween(tenures, losses);
  const exclusive = pieces.flatMap((piece) => [...judgeAll(mutex, piece.flatMap(operationsOf), lockOf).keys()]);
  const ordered = tenures.filter(({ from }) => twoPrimaries(strikes, from, from) === undefined);
  const fenced = [...judgeAll(fencedMutex, ordered.flatMap(operationsOf), lockOf).keys()];
  const finding = (lock: string, model: string): Finding => ({
    rule: "lock histories",
    at: strikes.at(-1)?.until ?? 0,
    what: `the history of ${lock} is not that of a ${model}`,
  });
  return [
    ...exclusive.map((lock) => finding(lock, mutex.name)),
    ...fenced.map((lock) => finding(lock, fencedMutex.name)),
  ];
}

/** The tenures between one loss and the next. Those during which something was lost are in no piece. */
function piecesBetween(tenures: readonly Tenure[], losses: readonly Strike[]): Tenure[][] {
  const starts = [0, ...losses.map(({ until }) => until)];
  const ends = [...losses.map(({ from }) => from), Number.POSITIVE_INFINITY];
  return starts.map((start, index) => {
    const end = ends[index] ?? Number.POSITIVE_INFINITY;
    return tenures.filter((tenure) => tenure.askedAt >= start && lastRelied(tenure) <= end);
  });
}

function operationsOf(tenure: Tenure): LockOperation[] {
  const { by, askedAt, from, token } = tenure;
  const lock = lockOf({ lock: `${tenure.kind} ${tenure.name}` });
  const end = { name: "end", lock, tenure: by } as const;
  return [
    {
      input: { name: "acquire", lock, tenure: by },
      output: { fencingToken: token },
      calledAt: askedAt,
      returnedAt: from,
    },
    {
      input: end,
      output: { fencingToken: 0 },
      calledAt: lastRelied(tenure),
      returnedAt: Math.max(tenure.overAt, lastRelied(tenure)),
    },
  ];
}

function lockOf({ lock }: Pick<LockInput, "lock">): string {
  return lock;
}
