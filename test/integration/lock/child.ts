/** A process of its own that takes locks on demand; times are those of the clock that all processes share. */

import { connect } from "../../../src/connect.ts";
import type { Lock } from "../../../src/primitives/lock/lock.ts";
import { nowMs } from "../../support/shared-clock.ts";
import type { Request, Tenure } from "./processes.ts";

const [url = ""] = process.argv.slice(2);
const hold = await connect(url);
const locks = new Map<string, Lock>();
let stopping = false;

const acts: Record<Request["act"], (request: Request) => Promise<unknown>> = {
  async acquire({ key, ttlMs = 30_000, waitMs = 60_000 }) {
    const lock = await hold.acquireLock(key, { ttlMs, waitMs });
    const atMs = nowMs();
    locks.set(key, lock);
    lock.signal.addEventListener("abort", () => process.send?.({ event: "aborted", key, atMs: nowMs() }));
    return { atMs, fencingToken: lock.fencingToken };
  },
  async release({ key }) {
    return await locks.get(key)?.release();
  },
  async isHeld({ key }) {
    return locks.get(key)?.isHeld() ?? false;
  },
  /** Several waiters that ask again as soon as they have released, until told to stop. */
  async contend({ key, waiters = 1, workMs = 1 }) {
    const tenures: Tenure[] = [];
    const waiter = async (number: number): Promise<void> => {
      while (!stopping) {
        const lock = await hold.acquireLock(key, { waitMs: 60_000 });
        const enteredMs = nowMs();
        await new Promise((resolve) => setTimeout(resolve, workMs));
        tenures.push({ waiter: `${process.pid}:${number}`, token: lock.fencingToken, enteredMs, leftMs: nowMs() });
        await lock.release();
      }
    };
    await Promise.all(Array.from({ length: waiters }, (_, number) => waiter(number)));
    return tenures;
  },
  async stop() {
    stopping = true;
  },
  async close() {
    await hold.close();
    process.disconnect();
  },
};

process.on("message", (request: Request) => {
  acts[request.act](request).then(
    (result) => process.connected && process.send?.({ id: request.id, result }),
    (error: Error) => process.send?.({ id: request.id, error: String(error) }),
  );
});
process.send?.({ event: "ready" });
