import { setTimeout as sleep } from "node:timers/promises";
import { type Nemesis, victim } from "./nemesis.ts";

export const killWorker: Nemesis = {
  name: "SIGKILL a worker",
  befalls: "crew",
  acknowledged: "kept",
  async strike(scene) {
    const member = await victim(scene);
    member.signal("SIGKILL");
    await member.ended();
    const killed = member.lives.at(-1)?.ended;
    if (killed !== "SIGKILL") throw new Error(`${member.name} ended with ${killed} before it was killed`);
    await sleep(scene.random.next() * scene.ttlMs);
    member.spawn();
    return member.name;
  },
};

export const stopWorker: Nemesis = {
  name: "SIGSTOP a worker past its lease",
  befalls: "crew",
  acknowledged: "kept",
  async strike(scene) {
    const member = await victim(scene);
    if (!member.signal("SIGSTOP")) throw new Error(`${member.name} was gone before it could be stopped`);
    try {
      await sleep((1.2 + scene.random.next()) * scene.ttlMs);
    } finally {
      member.signal("SIGCONT");
    }
    return member.name;
  },
};
