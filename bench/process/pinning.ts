import { spawnSync } from "node:child_process";

/**
 * The server's main thread has one core for itself, the main threads of Node processes have the others: what the
 * scheduler picks otherwise changes figures by a factor of three. Helper threads (garbage collection, input and
 * output of the server) go where there is room.
 */
export const CAN_PIN: boolean = coresOfRun().length > 1;

export function pinServer(pid: number): void {
  const [core] = coresOfRun();
  if (CAN_PIN) pin(pid, core);
}

export function pinClient(pid: number | undefined, index: number): void {
  const [, ...cores] = coresOfRun();
  if (CAN_PIN) pin(pid, cores[index % cores.length]);
}

/** The cores that the run may use. Noted for the processes that it starts: once pinned, they see only their own. */
function coresOfRun(): readonly number[] {
  process.env["HOLDFAST_BENCH_CORES"] ??= allowedCores().join(",");
  return process.env["HOLDFAST_BENCH_CORES"].split(",").map(Number);
}

/** Of `pid 4711's current affinity list: 0,2-3`; none where there is no taskset. */
function allowedCores(): number[] {
  const { status, stdout } = spawnSync("taskset", ["--cpu-list", "--pid", String(process.pid)], { encoding: "utf8" });
  const list = status === 0 ? (stdout.split(":").at(-1) ?? "").trim() : "0";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Pins one thread: that with the number of its process is the main thread. */
function pin(pid: number | undefined, core: number | undefined): void {
  const { status, stderr } = spawnSync("taskset", ["--cpu-list", "--pid", String(core), String(pid)]);
  if (status !== 0) throw new Error(`taskset could not pin process ${pid} to core ${core}: ${stderr}`);
}
