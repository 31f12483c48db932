/** A process that asks for a computed value many times at once. Its computations are counted in the store. */

import { connect } from "../../../src/connect.ts";
import { defineKey } from "../../../src/typed/define-key.ts";
import { unchecked } from "../../../src/typed/schema.ts";
import { typed } from "../../../src/typed/typed.ts";

/** What the parent asks for. */
export interface Question {
  readonly callers: number;
  /** How long a computation takes. */
  readonly computeMs: number;
  readonly leaseTtlMs: number;
}

const [url = ""] = process.argv.slice(2);
const hold = await connect(url);
const reports = typed(
  hold.cache,
  defineKey("report:{id}", { ttlMs: 60_000, schema: unchecked<{ readonly by: number }>() }),
);
const counts = typed(hold.cache, defineKey("computations", { ttlMs: 60_000, schema: unchecked<number>() }));

async function compute(computeMs: number): Promise<{ by: number }> {
  await counts.update({}, (count = 0) => count + 1);
  process.send?.("computing");
  await new Promise((resolve) => setTimeout(resolve, computeMs));
  return { by: process.pid };
}

process.on("message", async ({ callers, computeMs, leaseTtlMs }: Question) => {
  const calls = Array.from({ length: callers }, () =>
    reports.getOrCompute({ id: "42" }, () => compute(computeMs), { leaseTtlMs }),
  );
  process.send?.(await Promise.all(calls));
});
process.once("disconnect", () => void hold.close());
process.send?.("ready");
