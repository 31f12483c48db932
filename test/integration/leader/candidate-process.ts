/** A process with candidates in it that do what they are told; times are those of the clock that all processes share. */

import { connect } from "../../../src/connect.ts";
import type { Election } from "../../../src/primitives/leader/election.ts";
import { nowMs } from "../../support/shared-clock.ts";
import type { Order, Report } from "./processes.ts";

const [url = "", name = "", ttlMs = ""] = process.argv.slice(2);
const hold = await connect(url);
const election: Election = candidate();
// Whoever started us is gone.
process.once("disconnect", () => void hold.close());
report({ event: "ready" });

process.on("message", (order: Order) => void obey(order));

async function obey({ act, count = 1 }: Order): Promise<void> {
  switch (act) {
    case "campaign": {
      const term = await election.campaign();
      return report({
        event: "elected",
        atMs: nowMs(),
        wallMs: performance.timeOrigin + performance.now(),
        token: term.fencingToken,
      });
    }
    case "resign": {
      const atMs = nowMs();
      await election.resign();
      return report({ event: "resigned", atMs });
    }
    case "crowd": {
      // Candidates without end, in one process.
      for (let i = 0; i < count; i++)
        void candidate()
          .campaign()
          .catch(() => {});
      return report({ event: "ready" });
    }
    case "warm-up": {
      // Code that runs for the first time is slow, here and in the server's cache of scripts.
      const practice = hold.election(`${name} practice`);
      for (let i = 0; i < 20; i++) await (await practice.campaign()).resign();
      return report({ event: "ready" });
    }
  }
}

function candidate(): Election {
  return hold.election(name, { ttlMs: Number(ttlMs) });
}

function report(message: Report): void {
  process.send?.(message);
}
