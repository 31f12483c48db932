import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../src/connect.ts";
import { type RedisServer, startServer } from "../support/redis-server.ts";
import { nowMs } from "../support/shared-clock.ts";
import { until } from "../support/until.ts";
import { judge, type Verdict } from "./audit.ts";
import { type Havoc, wreakHavoc } from "./faults.ts";
import { readJournal } from "./journal.ts";
import { Member } from "./member.ts";

export interface TrialOptions {
  readonly durationMs: number;
  readonly seed: number;
  readonly processes: number;
  readonly ttlMs: number;
}

export interface TrialReport extends Verdict {
  readonly faults: Havoc["counts"];
  /** How many changes an observer saw. */
  readonly observed: number;
}

const NAME = "trial";
const PATIENTLY = { timeoutMs: 60_000 };

/**
 * Lets several processes compete for one leadership on a real server, kills, pauses, cuts off and restarts them at
 * random, and judges what they wrote down. Afterwards somebody must lead again.
 */
export async function holdTrial(options: TrialOptions): Promise<TrialReport> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-election-"));
  const server = await startServer();
  try {
    return await holdTrialOn(server, directory, options);
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function holdTrialOn(server: RedisServer, directory: string, options: TrialOptions): Promise<TrialReport> {
  const { ttlMs, seed, durationMs, processes } = options;
  await using hold = await connect(server.url);
  const election = hold.election(NAME);
  const end = new AbortController();
  let leader: string | undefined;
  const tokens: number[] = [];
  const observe = async (): Promise<void> => {
    for await (const now of election.observe({ signal: end.signal })) {
      leader = now?.holder;
      if (now) tokens.push(now.fencingToken);
    }
  };
  const observing = observe();
  const members = await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      Member.start(server, `member-${index + 1}`, directory, { election: NAME, ttlMs }),
    ),
  );
  try {
    await until("somebody leads", () => leader !== undefined, PATIENTLY);
    const untilMs = nowMs() + durationMs;
    const havoc = await wreakHavoc({ members, server, ttlMs, seed, untilMs, leader: () => leader });
    const before = tokens.length;
    await until(
      "somebody is elected after the last fault",
      async () => {
        const now = await election.leader();
        return now !== null && (tokens.length > before || leader === now.holder);
      },
      PATIENTLY,
    );
    const last = await atRest(members, election.leader.bind(election));
    await until("the observer has seen the last leader", () => last === null || tokens.at(-1) === last, PATIENTLY);
    end.abort();
    await observing;
    const verdict = judge(members.flatMap(({ journals }) => journals.flatMap(readJournal)));
    const unordered = tokens.filter((token, index) => token <= (tokens[index - 1] ?? 0));
    const outOfOrder = unordered.map((token) => `an observer saw term ${token} after a higher one`);
    return {
      ...verdict,
      violations: [
        ...havoc.violations,
        ...members.flatMap(({ crashes }) => crashes),
        ...verdict.violations,
        ...outOfOrder,
      ],
      faults: havoc.counts,
      observed: tokens.length,
    };
  } finally {
    end.abort();
    await observing;
    await Promise.all(members.map((member) => member.close()));
  }
}

/** Stops every process where it stands; the term that was the last one, `null` if none is left in the store. */
async function atRest(
  members: readonly Member[],
  read: () => Promise<{ readonly fencingToken: number } | null>,
): Promise<number | null> {
  for (const member of members) member.signal("SIGKILL");
  await Promise.all(members.map((member) => member.ended()));
  return (await read())?.fencingToken ?? null;
}
