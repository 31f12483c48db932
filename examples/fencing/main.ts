/**
 * A holder that stalls past its lease, and a database that refuses its late write.
 *
 *     node --import tsx examples/fencing/main.ts [redis://localhost:6379]
 *
 * The database is Postgres, embedded (PGlite). What matters is one condition in the write: `fence <= $token`.
 */

import { PGlite } from "@electric-sql/pglite";
import { connect } from "../../src/index.ts";

const [store = "memory:"] = process.argv.slice(2);
const db = new PGlite();
await db.exec("CREATE TABLE account (id TEXT PRIMARY KEY, balance INT NOT NULL, fence BIGINT NOT NULL DEFAULT 0)");
await db.query("INSERT INTO account (id, balance) VALUES ('alice', 100)");

/** Writes as the holder of `fencingToken`; `false` if a later holder has written before. */
async function setBalance(balance: number, fencingToken: number): Promise<boolean> {
  const sql = "UPDATE account SET balance = $1, fence = $2 WHERE id = 'alice' AND fence <= $2";
  const { affectedRows } = await db.query(sql, [balance, fencingToken]);
  return affectedRows === 1;
}

await using hold = await connect(store);

// The first holder reads, then stalls for longer than its lease: nothing renews it.
const stalled = await hold.acquireLock("account:alice", { ttlMs: 200, renew: false });
await new Promise((resolve) => setTimeout(resolve, 400));

// Meanwhile somebody else does its work, start to end.
await hold.withLock("account:alice", async (lock) => {
  const written = await setBalance(70, lock.fencingToken);
  console.log(`second holder, token ${lock.fencingToken}: ${written ? "written" : "refused"}`);
});

// The first one goes on as if nothing had happened.
const written = await setBalance(999, stalled.fencingToken);
console.log(`first holder, token ${stalled.fencingToken}, late: ${written ? "written" : "refused"}`);

const { rows } = await db.query<{ balance: number }>("SELECT balance FROM account");
console.log(`balance: ${rows[0]?.balance}`);
await db.close();
