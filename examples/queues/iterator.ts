/**
 * A consumer of any queue that is an async iterator of messages:
 * `npx tsx examples/queues/iterator.ts`, or with the URL of a server.
 *
 * What the queue has to know: a message that was handled, now or before, is
 * acknowledged. One that somebody else is handling, or that failed, is given back
 * for later.
 */

import { setTimeout as pause } from "node:timers/promises";
import { connect, IdempotencyInProgressError, IdempotencyMismatchError } from "../../src/index.ts"; // from "holdfast"

interface Message {
  readonly id: string;
  readonly body: string;
  acknowledge(): void;
  giveBack(afterMs: number): void;
}

const [target = "memory:"] = process.argv.slice(2);
const sent: string[] = [];

await using hold = await connect(target, { keyPrefix: "mail:" });
const send = hold.idempotent(
  async ({ body }: Message) => {
    await pause(20);
    sent.push(body);
  },
  // A message has functions, so it is compared by its body alone.
  { name: "send", key: ({ id }) => id, fingerprint: ({ body }) => body, whenInProgress: "reject" },
);

async function consume(messages: AsyncIterable<Message>): Promise<void> {
  const working = new Set<Promise<void>>();
  for await (const message of messages) {
    const work = handle(message).finally(() => working.delete(work));
    working.add(work);
    // Not more than four at a time.
    if (working.size >= 4) await Promise.race(working);
  }
  await Promise.all(working);
}

async function handle(message: Message): Promise<void> {
  try {
    const { outcome } = await send.outcome(message);
    console.log(`${message.id} ${outcome}`);
    message.acknowledge();
  } catch (error) {
    console.log(`${message.id} ${(error as Error).name}`);
    if (error instanceof IdempotencyInProgressError) message.giveBack(error.retryAfterMs);
    // It will never be right: not for this queue to try again.
    else if (error instanceof IdempotencyMismatchError) message.acknowledge();
    else message.giveBack(1_000);
  }
}

/** Stands for a queue that delivers at least once: each message comes until it is acknowledged, and sometimes twice. */
async function* deliveries(): AsyncGenerator<Message> {
  const bodies = new Map([
    ["m-1", "Hello Ada"],
    ["m-2", "Hello Grace"],
    ["m-3", "Hello Barbara"],
  ]);
  const due = ["m-1", "m-1", "m-2", "m-3", "m-2", "m-1"];
  const open = new Set<string>();
  while (due.length > 0 || open.size > 0) {
    const id = due.shift();
    if (id === undefined) {
      await pause(5);
      continue;
    }
    const delivery = `${id} #${due.length}`;
    open.add(delivery);
    yield {
      id,
      body: bodies.get(id) ?? "",
      acknowledge: () => void open.delete(delivery),
      giveBack: (afterMs) =>
        void pause(afterMs)
          .then(() => due.push(id))
          .then(() => open.delete(delivery)),
    };
  }
}

await consume(deliveries());
console.log(`sent: ${sent.sort().join(", ")}`);
