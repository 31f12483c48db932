import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../simulation/kernel/random.ts";
import { nowMs } from "../support/shared-clock.ts";
import { until } from "../support/until.ts";
import { type Life, Member } from "./crew/member.ts";
import { type Evidence, gather } from "./evidence.ts";
import { readPages } from "./journal.ts";
import { leftovers } from "./leftovers.ts";
import { campaign } from "./nemeses/campaign.ts";
import type { Nemesis, Scene, Strike } from "./nemeses/nemesis.ts";
import { Post } from "./post.ts";
import type { Stage } from "./stages/stage.ts";
import { World } from "./world.ts";

export interface ChaosOptions {
  readonly start: () => Promise<Stage>;
  /** Each of them strikes at least once. */
  readonly nemeses: readonly Nemesis[];
  readonly durationMs: number;
  readonly seed: number;
  /** Of locks, terms and claims. */
  readonly ttlMs: number;
  /** How long at most there is peace between two faults, once everything gets on again. Default 1,300. */
  readonly calmMs?: number;
  readonly onStrike?: (strike: Strike) => void;
}

const WORKERS = 4;
const START_LIMIT_MS = 120_000;
const END_LIMIT_MS = 60_000;

/** Lets a crew of processes use the library while everything goes wrong, and gathers what they wrote down. */
export async function wreakChaos(options: ChaosOptions): Promise<Evidence> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-chaos-"));
  const stage = await options.start();
  const crew: Member[] = [];
  const world = new World();
  try {
    return await chaosOn({ stage, crew, world, directory }, options);
  } finally {
    await Promise.all(crew.map((member) => member.close()));
    await world.close();
    await stage.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Props {
  readonly stage: Stage;
  readonly crew: Member[];
  readonly world: World;
  readonly directory: string;
}

async function chaosOn({ stage, crew, world, directory }: Props, options: ChaosOptions): Promise<Evidence> {
  const { nemeses, ttlMs, seed, durationMs, calmMs = 1_300, onStrike = () => {} } = options;
  for (let number = 1; number <= WORKERS; number++) {
    crew.push(
      await Member.start({
        name: `worker-${number}`,
        url: stage.url,
        servers: stage.servers,
        directory,
        ttlMs,
        onReport: (report, life) => world.hear(report, life.name),
      }),
    );
  }
  await until("all are at work", () => crew.every(({ isReady }) => isReady), { timeoutMs: START_LIMIT_MS });
  const random = new Random(seed);
  const holder = (): Member | undefined => crew.find(({ name }) => world.lastWriter.startsWith(`${name}.`));
  const scene: Scene = { stage, crew, random, ttlMs, holder };
  const post = new Post(world, crew, new Random(seed, 1));
  const ended = new AbortController();
  const delivering = post.deliver(ended.signal);
  const strikes = await campaign({ scene, world, nemeses, untilMs: nowMs() + durationMs, calmMs, onStrike }).finally(
    () => ended.abort(),
  );
  await delivering;
  const mishaps = [
    ...(await unhandled(post)),
    ...(await dismiss(crew)),
    ...(await leftovers(stage, ttlMs)),
    ...crew.flatMap(({ lives }) => lives.flatMap(crashOf)),
    ...crew.flatMap(({ lives }) => lives.flatMap(complaintOf)),
  ];
  const testimonies = crew.flatMap(({ lives }) =>
    lives.map(({ name, journal, endedAt, ended }) => {
      return { name, endedAt, wasKilled: ended === "SIGKILL", ...readPages(journal) };
    }),
  );
  return gather(testimonies, { writes: world.writes, effects: world.effects, strikes, mishaps });
}

/** When the faults are over, every message is dealt with. */
async function unhandled(post: Post): Promise<string[]> {
  try {
    await until("all messages are dealt with", () => post.finish(), { timeoutMs: END_LIMIT_MS, everyMs: 100 });
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/** Everybody who is told to end does so, leaving nothing open that would keep the process alive. */
async function dismiss(crew: readonly Member[]): Promise<string[]> {
  for (const member of crew) member.signal("SIGTERM");
  await Promise.race([
    Promise.all(crew.map((member) => member.ended())),
    sleep(END_LIMIT_MS, undefined, { ref: false }),
  ]);
  return crew.flatMap((member) =>
    member.lives.at(-1)?.ended === "code 0" ? [] : [`${member.name} was told to end: ${member.lives.at(-1)?.ended}`],
  );
}

/** All but the last life are ended by a nemesis. */
function crashOf({ name, ended }: Life, index: number, lives: readonly Life[]): string[] {
  const isLast = index === lives.length - 1;
  return isLast || ended === "SIGKILL" ? [] : [`${name} ended by itself, with ${ended}`];
}

function complaintOf({ name, complaints }: Life): string[] {
  return complaints === "" ? [] : [`${name} said: ${complaints}`];
}
