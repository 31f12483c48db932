/**
 * The demo: `npm run demo`. Several workers process one file of orders, each
 * order under the lock of its customer, and an audit shows that no two of them
 * were ever at one account at the same time. The use of the library is all in
 * worker.ts.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { audit } from "./audit.ts";
import { startCrew, stopCrew } from "./crew.ts";
import { type Delivery, ordersByCustomer, readDeliveries } from "./deliveries.ts";
import { dispatch } from "./dispatch.ts";
import { Ledger } from "./ledger.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { number, printAudit, printTally, showProgress, Tally } from "./report.ts";
import type { Worker } from "./worker.ts";

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

async function run({ store, workers: size, lock }: Options, directory: string): Promise<number> {
  const interrupt = new AbortController();
  // Only once: a second Ctrl-C ends the process as usual.
  process.once("SIGINT", () => interrupt.abort());

  const deliveries = await readDeliveries();
  const workers = await startCrew(size, { store, lock, ledger: directory });
  const tally = await work(deliveries, workers, interrupt.signal).finally(() => stopCrew(workers));
  printTally(tally);

  if (interrupt.signal.aborted) {
    console.log("Interrupted: what was under way has been finished, the rest was not begun.");
    return EXIT.interrupted;
  }
  const passed = printAudit(await audit(new Ledger(directory, "audit"), deliveries));
  return passed ? EXIT.ok : EXIT.failed;
}

async function work(deliveries: readonly Delivery[], workers: readonly Worker[], signal: AbortSignal): Promise<Tally> {
  const customers = number(ordersByCustomer(deliveries).size);
  console.log(`${number(deliveries.length)} deliveries for ${customers} customers, ${workers.length} workers`);
  const tally = new Tally();
  const progress = showProgress(deliveries.length);
  try {
    await dispatch(deliveries, workers, {
      signal,
      onHandled: (handled) => {
        tally.add(handled);
        progress.update(tally.deliveries);
      },
    });
  } finally {
    progress.stop();
  }
  return tally;
}
