import { setTimeout as sleep } from "node:timers/promises";
import type { TcpProxy } from "../../support/proxy.ts";
import type { Member } from "../crew/member.ts";
import { type Nemesis, pick, type Scene, victim } from "./nemesis.ts";

const PATIENCE_MS = 30_000;

/** Neither requests nor replies arrive; they do once it is over. */
export const partition: Nemesis = cutOff("partition, both ways", holdBoth);
export const deafServer: Nemesis = cutOff("partition, requests only", holdRequests);
/** Requests are executed, but nobody hears of it. */
export const muteServer: Nemesis = cutOff("partition, replies only", holdReplies);

/** Nothing lasts: a reply that came late is followed by silence. */
export const flapping: Nemesis = {
  name: "partitions that come and go",
  befalls: "crew",
  acknowledged: "kept",
  async strike(scene) {
    const { random, ttlMs } = scene;
    const members = await someOf(scene);
    const wires = members.flatMap((member) => [...member.wires.values()]);
    const ways = [holdBoth, holdRequests, holdReplies];
    const endAt = performance.now() + (2 + 3 * random.next()) * ttlMs;
    let times = 0;
    for (; performance.now() < endAt; times++) {
      const hold = pick(random, ways);
      for (const wire of wires) hold(wire);
      // Some longer than a lease, which then has to end by itself.
      await sleep(random.between(0.1, 1.6) * ttlMs);
      for (const wire of wires) wire.heal();
      await sleep(random.between(0, 0.05) * ttlMs);
    }
    return `${times} times: ${members.map((member) => member.name).join(", ")}`;
  },
};

export const latency: Nemesis = {
  name: "latency of 50 to 200 ms",
  befalls: "crew",
  acknowledged: "kept",
  async strike(scene) {
    const wires = scene.crew.flatMap((member) => [...member.wires.values()]);
    const delayMs = Math.round(scene.random.between(50, 200));
    const delay = (ms: number): void => {
      for (const { toServer, toClient } of wires) {
        toServer.delayMs = ms / 2;
        toClient.delayMs = ms / 2;
      }
    };
    delay(delayMs);
    await sleep((1 + scene.random.next()) * scene.ttlMs);
    delay(0);
    return `${delayMs} ms for everybody`;
  },
};

/** Commands are executed, but instead of their replies comes a reset. */
export const replyLoss: Nemesis = {
  name: "replies lost, connections reset",
  befalls: "crew",
  acknowledged: "kept",
  async strike(scene) {
    const primaries = await scene.stage.primaries();
    const endAt = performance.now() + (0.7 + scene.random.next()) * scene.ttlMs;
    let lost = 0;
    // As long as the store is silent, there are no replies that could be lost.
    while (performance.now() < endAt || (lost === 0 && performance.now() < endAt + PATIENCE_MS)) {
      const member = await victim(scene);
      const wire = member.wires.get(pick(scene.random, primaries).port);
      // A connection that is idle carries nothing that could be lost.
      const done = wire?.cutReply({ afterBytes: 0 }).then(() => true);
      if (await Promise.race([done, sleep(500, false)])) lost += 1;
      await sleep(scene.random.next() * 100);
    }
    if (lost === 0) throw new Error("no reply was lost");
    return `${lost} replies`;
  },
};

function cutOff(name: string, hold: (wire: TcpProxy) => void): Nemesis {
  return {
    name,
    befalls: "crew",
    acknowledged: "kept",
    async strike(scene) {
      const members = await someOf(scene);
      const wires = members.flatMap((member) => [...member.wires.values()]);
      if (wires.every(({ connections }) => connections === 0)) throw new Error("nobody was connected");
      for (const wire of wires) hold(wire);
      await sleep((0.5 + 2 * scene.random.next()) * scene.ttlMs);
      // What was under way arrives late, or never.
      if (scene.random.next() < 0.3) for (const wire of wires) wire.cut();
      for (const wire of wires) wire.heal();
      return members.map((member) => member.name).join(", ");
    },
  };
}

function holdBoth(wire: TcpProxy): void {
  wire.partition();
}

function holdRequests(wire: TcpProxy): void {
  wire.toServer.hold();
}

function holdReplies(wire: TcpProxy): void {
  wire.toClient.hold();
}

/** One of the crew, or half of it. */
async function someOf(scene: Scene): Promise<Member[]> {
  const first = await victim(scene);
  const others = scene.crew.filter((member) => member !== first);
  return scene.random.next() < 0.6 ? [first] : [first, pick(scene.random, others)];
}
