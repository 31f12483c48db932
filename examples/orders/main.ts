/**
 * The demo: `npm run demo`. Several workers process one file of deliveries: each
 * order once, however often it is delivered, under the lock of its customer. An
 * audit shows that every order was booked once, and that no two workers were ever
 * at one account at the same time. One of the workers, whoever leads, reports how
 * far the ledger is. The use of the library is all in worker.ts and reporter.ts.
 */

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { audit } from "./audit.ts";
import { Crew } from "./crew.ts";
import { type Delivery, ordersByCustomer, readDeliveries } from "./deliveries.ts";
import { dispatch } from "./dispatch.ts";
import { Ledger } from "./ledger.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { number, printAudit, printTally, showProgress, Tally } from "./report.ts";

const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return EXIT.usage;
  }
  if (options.help) {
    console.log(USAGE);
    return EXIT.ok;
  }
  const directory = await mkdtemp(join(tmpdir(), "holdfast-orders-"));
  const exitCode = await run(options, directory).catch((error: Error) => {
    console.error(`\nThe demo failed: ${error.message}`);
    return EXIT.failed;
  });
  await rm(directory, { recursive: true });
  return exitCode;
}

async function run({ store, workers: size, kill, lock }: Options, directory: string): Promise<number> {
  const interrupt = new AbortController();
  // Only once: a second Ctrl-C ends the process as usual.
  process.once("SIGINT", () => interrupt.abort());

  const deliveries = await readDeliveries();
  const ledger = new Ledger(directory, "audit");
  const crew = await Crew.start(size, { store, lock, ledger: directory, run: randomUUID() });
  const tally = await work(deliveries, crew, { kill, ledger, signal: interrupt.signal }).finally(() => crew.stop());
  printTally(tally, ledger.journal.entries());

  if (interrupt.signal.aborted) {
    console.log("Interrupted: what was under way has been finished, the rest was not begun.");
    return EXIT.interrupted;
  }
  const passed = printAudit(await audit(ledger, deliveries));
  return passed ? EXIT.ok : EXIT.failed;
}

interface Plan {
  readonly kill: number;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

async function work(deliveries: readonly Delivery[], crew: Crew, { kill, ledger, signal }: Plan): Promise<Tally> {
  const customers = number(ordersByCustomer(deliveries).size);
  console.log(`${number(deliveries.length)} deliveries for ${customers} customers, ${crew.workers.length} workers`);
  const tally = new Tally();
  const progress = showProgress(deliveries.length);
  try {
    await dispatch(deliveries, crew.workers, {
      signal,
      onHandled: (handled) => {
        tally.add(handled);
        progress.update(tally.deliveries);
      },
      accidents: {
        count: kill,
        befall: async (worker, delivery) => {
          const result = await crew.kill(worker, delivery, ledger.journal);
          if (!("booking" in result)) tally.killed += 1;
          return result;
        },
      },
    });
  } finally {
    progress.stop();
  }
  return tally;
}
