import { setTimeout as sleep } from "node:timers/promises";
import type { RedisServer } from "../../support/redis-server.ts";
import { nowMs } from "../../support/shared-clock.ts";
import { RECOVERY_LIMIT_MS } from "../judge/progress.ts";
import { SIGNS, type World } from "../world.ts";
import { type Nemesis, pick, type Scene, type Strike } from "./nemesis.ts";

export interface CampaignOptions {
  readonly scene: Scene;
  readonly world: World;
  readonly nemeses: readonly Nemesis[];
  /** Each of them strikes at least once, however short the time. */
  readonly untilMs: number;
  readonly calmMs: number;
  readonly onStrike: (strike: Strike) => void;
}

const PAIR_SHARE = 0.3;

/**
 * Lets one nemesis after the other strike, in a random order that has each of them once; from the second round on now and
 * then one against the store and one against the crew together. After each there is calm until everything gets on again.
 */
export async function campaign(options: CampaignOptions): Promise<Strike[]> {
  const { scene, nemeses, untilMs, onStrike } = options;
  const strikes: Strike[] = [];
  await recovery(options, nowMs());
  for (let round = 0; round === 0 || nowMs() < untilMs; round++) {
    for (const nemesis of shuffle(nemeses, scene)) {
      if (round > 0 && nowMs() > untilMs) break;
      const isPaired = round > 0 && scene.random.next() < PAIR_SHARE;
      const others = nemeses.filter(({ befalls }) => befalls !== nemesis.befalls);
      const together = isPaired ? [nemesis, pick(scene.random, others)] : [nemesis];
      for (const strike of await strikeTogether(together, options)) {
        strikes.push(strike);
        onStrike(strike);
      }
      await sleep(scene.random.between(0.2, 1) * options.calmMs);
    }
  }
  return strikes;
}

async function strikeTogether(nemeses: readonly Nemesis[], options: CampaignOptions): Promise<Strike[]> {
  const { scene } = options;
  const before = await primaries(scene);
  const outcomes = await Promise.allSettled(
    nemeses.map(async (nemesis) => {
      const from = nowMs();
      const hit = await nemesis.strike(scene);
      return { nemesis, from, until: nowMs(), hit };
    }),
  );
  const times = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  // One may leave the other nothing to hit; it is an error only if nothing was hit at all.
  if (times.length === 0) throw outcomes.find((outcome) => outcome.status === "rejected")?.reason;
  await scene.stage.settled();
  const recoveredMs = await recovery(options, Math.max(...times.map(({ until }) => until)));
  const strikes = times.map(({ nemesis, ...time }): Strike => {
    return { nemesis: nemesis.name, acknowledged: nemesis.acknowledged, ...time, recoveredMs };
  });
  const wasReplaced = nemeses.every(({ replaces }) => !replaces) && (await primaries(scene)) !== before;
  const [first] = strikes;
  if (!wasReplaced || first === undefined) return strikes;
  // A server that was slow to answer has been taken for dead.
  const unasked = { nemesis: "fail-over that nobody asked for", acknowledged: "truncated" } as const;
  return [...strikes, { ...first, ...unasked, until: nowMs(), hit: before }];
}

/** Waits until everything has got on after a time, and all are at work; how long each took. */
async function recovery({ world, scene }: CampaignOptions, since: number): Promise<Record<string, number>> {
  const took = new Map(SIGNS.map((sign) => [sign, Number.POSITIVE_INFINITY]));
  for (;;) {
    for (const [sign, at] of world.lastSeen) {
      if (at > since) took.set(sign, Math.min(took.get(sign) ?? Number.POSITIVE_INFINITY, at - since));
    }
    const isDone = [...took.values()].every(Number.isFinite) && scene.crew.every(({ isReady }) => isReady);
    if (isDone || nowMs() > since + RECOVERY_LIMIT_MS) return Object.fromEntries(took);
    await sleep(10);
  }
}

async function primaries({ stage }: Scene): Promise<string> {
  const all: readonly RedisServer[] = await stage.primaries();
  return all
    .map(({ port }) => port)
    .sort((a, b) => a - b)
    .join(", ");
}

function shuffle<T>(items: readonly T[], { random }: Scene): T[] {
  return items
    .map((item) => ({ item, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
