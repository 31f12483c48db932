/**
 * `npm run test:matrix`: the integration tests (conformance suite, model, every topology) on every server, client and
 * Node version that the documentation promises. By default each server with each client on this Node, then the other
 * Node versions with the newest server and client; `--full` is the whole product. `--server`, `--client` and `--node`
 * pick from it: `npm run test:matrix -- --server "valkey 9" --node 24`.
 */
import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { findNamedServer, NAMED_SERVERS, type ServerName } from "../test/support/named-server.ts";
import { add, closingLine, NOTHING, type Tally } from "./tally.ts";

interface Cell {
  readonly server: ServerName;
  readonly client: string;
  readonly node: string;
}

interface Row extends Cell {
  readonly tally: Tally;
  readonly seconds: number;
  readonly remark: string;
}

const SERVERS = Object.keys(NAMED_SERVERS) as ServerName[];
const CLIENTS = ["5", "6"];
const NODES = ["20", "22", "24"];
const THIS_NODE = process.versions.node.split(".", 1)[0] ?? "";
const REPORTS = "reports/matrix";
const FAILED: Tally = { ...NOTHING, failed: 1 };

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    server: { type: "string" },
    client: { type: "string" },
    node: { type: "string" },
  },
});

await mkdir(REPORTS, { recursive: true });
const rows: Row[] = [];
for (const cell of cells()) {
  const row = await runCell(cell);
  rows.push(row);
  console.log(describe(row));
}
console.table(rows.map(({ tally, seconds, remark, ...cell }) => ({ ...cell, ...tally, seconds, remark })));
const total = rows.map(({ tally }) => tally).reduce(add, rows.length > 0 ? NOTHING : FAILED);
console.log(closingLine(total));
process.exit(total.failed === 0 ? 0 : 1);

function cells(): Cell[] {
  const all = SERVERS.flatMap((server) => CLIENTS.flatMap((client) => NODES.map((node) => ({ server, client, node }))));
  const wanted = all.filter(
    ({ server, client, node }) =>
      server === (values.server ?? server) && client === (values.client ?? client) && node === (values.node ?? node),
  );
  return values.full || values.node !== undefined ? wanted : wanted.filter(isByDefault);
}

function isByDefault({ server, client, node }: Cell): boolean {
  return node === THIS_NODE || (server === SERVERS.at(-1) && client === CLIENTS.at(-1));
}

async function runCell(cell: Cell): Promise<Row> {
  const from = performance.now();
  const server = await findNamedServer(cell.server);
  if (!server) return { ...cell, tally: FAILED, seconds: 0, remark: "no such server; see HOLDFAST_SERVER_PATHS" };
  const report = `${REPORTS}/${cell.server} ioredis ${cell.client} node ${cell.node}`.replaceAll(" ", "-");
  await rm(`${report}.json`, { force: true });
  const output = await run(cell.node, `${report}.json`, {
    HOLDFAST_SERVER: server.path,
    HOLDFAST_IOREDIS: cell.client,
  });
  await writeFile(`${report}.log`, output);
  const tally = await readReport(`${report}.json`);
  const remark = tally.failed > 0 ? `${report}.log` : server.version.join(".");
  const seconds = Math.round((performance.now() - from) / 1_000);
  return { ...cell, tally, seconds, remark };
}

/** Runs vitest under a version of Node, and gives what it printed. */
function run(node: string, report: string, env: Record<string, string>): Promise<string> {
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "integration"];
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const [program, ...args] =
    node === THIS_NODE ? [process.execPath] : ["npx", "--yes", "--package", `node@${node}`, "node"];
  const child = spawn(program ?? "node", [...args, ...vitest, ...reporters], { env: { ...process.env, ...env } });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  return new Promise((resolve) => child.once("close", () => resolve(output)));
}

async function readReport(path: string): Promise<Tally> {
  try {
    const report = JSON.parse(await readFile(path, "utf8"));
    const tally = { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests };
    return report.success || tally.failed > 0 ? tally : { ...tally, failed: 1 };
  } catch {
    // Vitest did not get as far as a report.
    return FAILED;
  }
}

function describe({ server, client, node, tally, seconds }: Row): string {
  return `${server}, ioredis ${client}, Node ${node}: ${closingLine(tally)} (${seconds} s)`;
}
