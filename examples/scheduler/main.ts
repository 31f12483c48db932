/**
 * One replica with a report every second: `npx tsx examples/scheduler/main.ts redis://localhost:6379`. Start several and
 * end them as you like, with Ctrl-C or `kill -9`: each second is reported once, by one of them.
 */

import { ClosedError, connect, resignOnShutdown } from "../../src/index.ts"; // in your own program: "holdfast"
import { runSchedule } from "./schedule.ts";

const [target = "memory:", ttlMs = "2000"] = process.argv.slice(2);
const hold = await connect(target, { keyPrefix: "scheduler:" });
resignOnShutdown(hold);
hold.on("leadershipLost", ({ reason }) => console.log(`lost the lead: ${reason}`));

try {
  await runSchedule(
    hold,
    { name: "reports", pattern: "* * * * * *", ttlMs: Number(ttlMs), catchUpMs: 10_000 },
    async (at) => console.log(`report of ${at.toISOString()}`),
  );
} catch (error) {
  // Told to end while another one led.
  if (!(error instanceof ClosedError)) throw error;
}
