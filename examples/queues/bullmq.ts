/**
 * A BullMQ worker that ships each order once, on the Redis that BullMQ uses
 * anyway: `npx tsx examples/queues/bullmq.ts redis://localhost:6379`.
 *
 * BullMQ delivers a job at least once: a job whose worker stalls is given to
 * another, and a producer that retries may add the same order as two jobs. The
 * guard goes by the order, not by the job.
 */

import { type Job, Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import { connect } from "../../src/index.ts"; // in your own program: from "holdfast"

interface Order {
  readonly id: string;
  readonly items: number;
}

const [url = "redis://localhost:6379"] = process.argv.slice(2);
const QUEUE = "orders";
const shipped: string[] = [];
let carrierAnswers = false;

const redis = new Redis(url, { maxRetriesPerRequest: null });
const hold = await connect(redis, { keyPrefix: "shop:" });

const ship = hold.idempotent(
  async ({ id, items }: Order) => {
    // A handler that fails is forgotten by the guard, so that BullMQ's next attempt runs it again.
    if (id === "o-3" && !carrierAnswers) {
      carrierAnswers = true;
      throw new Error("the carrier does not answer");
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    shipped.push(id);
    return { parcel: `P-${id}`, items };
  },
  { name: "ship", key: ({ id }) => id },
);

const connection = { url, maxRetriesPerRequest: null };
const worker = new Worker(
  QUEUE,
  async (job: Job<Order>) => {
    const { outcome, value } = await ship.outcome(job.data);
    console.log(`job ${job.id}, order ${job.data.id}: ${outcome}, parcel ${value.parcel}`);
    return value;
  },
  { connection, concurrency: 4 },
);
const queue = new Queue<Order>(QUEUE, { connection });
const events = new QueueEvents(QUEUE, { connection });
await events.waitUntilReady();

const orders = ["o-1", "o-2", "o-3", "o-1", "o-2", "o-1"].map((id) => ({ id, items: id.length }));
const jobs = await queue.addBulk(
  orders.map((data) => ({ name: "ship", data, opts: { attempts: 3, backoff: { type: "fixed", delay: 20 } } })),
);
await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
console.log(`${jobs.length} jobs, shipped: ${shipped.sort().join(" ")}`);

await worker.close();
await queue.obliterate();
await Promise.all([queue.close(), events.close()]);
await hold.close();
redis.disconnect();
