import { part, type Subject } from "../contestants/contestant.ts";
import { type Order, orderOf, type Receipt } from "../payload.ts";
import type { Stage } from "../process/stage.ts";
import { measureLoad } from "./load.ts";
import type { Metrics, Round, Workload } from "./workload.ts";

const DUPLICATES = 1_000;
const COUNTED = 100;

interface Params extends Round {
  readonly delivery: "first" | "duplicate";
  readonly concurrency: number;
  readonly sliceMs: number;
}

/** Handlers that run once per message. */
export const idempotency: Workload = {
  name: "idempotency",
  title: "Idempotent handlers",
  description:
    "A handler that does nothing but give a receipt of 200 bytes for an order of the same size; results are kept for a " +
    "day. A first delivery runs it, a duplicate is answered with what was kept.",
  offer: "guard",
  cases: ({ sliceMs }) =>
    (["first", "duplicate"] as const).flatMap((delivery) =>
      [1, 64].map((concurrency) => ({
        name: `${delivery} ${concurrency}`,
        params: { delivery, concurrency, sliceMs },
      })),
    ),
  columns: [
    { metric: "p50Ms", title: "p50 ms", digits: 3, cases: ["first 1", "duplicate 1"] },
    { metric: "p99Ms", title: "p99 ms", digits: 3, cases: ["first 64", "duplicate 64"] },
    { metric: "perSecond", title: "deliveries/s", digits: 0, cases: ["first 64", "duplicate 64"] },
    { metric: "clientMicros", title: "client µs", digits: 1, cases: ["first 64", "duplicate 64"] },
    { metric: "serverMicros", title: "server µs", digits: 1, cases: ["first 64", "duplicate 64"] },
    { metric: "commands", title: "commands", digits: 1, cases: ["first 1", "duplicate 1"] },
  ],
  roles: { check, measure },
};

let deliveries = 0;
const freshOrder = (): Order => {
  deliveries += 1;
  return orderOf(`${process.pid}-${deliveries}`);
};

const handle = async (order: Order): Promise<Receipt> => ({ order, paid: true });

async function measure(subject: Subject, params: Params, stage: Stage): Promise<Metrics> {
  const { delivery, concurrency, sliceMs, round } = params;
  const deliver = part(subject, "guard")(handle);
  const load = { concurrency, sliceMs };
  if (delivery === "first") {
    const first = (): Promise<unknown> => deliver(freshOrder());
    const metrics = await measureLoad(first, load, stage);
    const kept = round > 0 ? metrics : await countOf(first, stage);
    // Ten thousands of records a second: they would make the server slower for those that come later.
    await stage.observer.redis.flushdb();
    return kept;
  }
  const orders = Array.from({ length: DUPLICATES }, (_, i) => orderOf(`${process.pid}-again-${i}`));
  let next = 0;
  const again = (): Promise<unknown> => {
    next += 1;
    return deliver(orders[next % DUPLICATES] as Order);
  };
  if (round > 0) return measureLoad(again, load, stage);
  for (const order of orders) await deliver(order);
  await measureLoad(again, load, stage);
  return countOf(again, stage);
}

async function countOf(deliver: () => Promise<unknown>, { observer }: Stage): Promise<Metrics> {
  const commands = await observer.countCommands(async () => {
    for (let i = 0; i < COUNTED; i++) await deliver();
  });
  return { commands: commands / COUNTED };
}

async function check(subject: Subject): Promise<void> {
  let runs = 0;
  const deliver = part(
    subject,
    "guard",
  )((order) => {
    runs += 1;
    return handle(order);
  });
  const order = freshOrder();
  const first = await deliver(order);
  const again = await deliver(order);
  if (runs !== 1) throw new Error(`the handler ran ${runs} times for two deliveries`);
  if (JSON.stringify(first) !== JSON.stringify(again))
    throw new Error("the duplicate was answered with something else");
}
