import { CONTESTANTS, ENTRIES } from "../contestants/index.ts";
import type { Figure, Results } from "../results.ts";
import { passes, TARGETS, type Target } from "../targets.ts";
import { WORKLOADS } from "../workloads/index.ts";
import type { Column, Workload } from "../workloads/workload.ts";

/** Everything that a run gave, in Markdown. */
export function report(results: Results): string {
  const measured = WORKLOADS.filter(({ name }) => name in results.workloads);
  return [
    conditions(results),
    ...targetSection(results),
    ...measured.map((workload) => workloadSection(workload, results)),
    "### Contestants\n",
    contestantTable(results),
  ].join("\n");
}

function conditions({ machine }: Results): string {
  const { date, server, node, processor, cores, pinned, loadBefore, minutes } = machine;
  return (
    `${date.slice(0, 10)}, ${server}, Node ${node}, ${cores} cores of ${processor}; ` +
    `${pinned ? "server and clients pinned to cores of their own" : "nothing pinned"}; load before the run ` +
    `${loadBefore.toFixed(1)}; ${minutes.toFixed(0)} minutes.\n`
  );
}

function targetSection(results: Results): string[] {
  const rows = TARGETS.flatMap((target) => {
    const reached = target.reached(results);
    if (!reached) return [];
    const verdict = passes(target, reached) ? "pass" : "**miss**";
    const value = `${reached.value.toFixed(reached.value < 10 ? 2 : 0)} ${target.unit}`;
    return [[target.title, limitOf(target), value, reached.against ?? "", verdict]];
  });
  if (rows.length === 0) return [];
  return ["### Targets\n", table(["", "target", "measured", "against", ""], rows, [false, true, true, false, false])];
}

function limitOf({ limit, unit }: Target): string {
  return "atMost" in limit ? `≤ ${limit.atMost} ${unit}` : `≥ ${limit.atLeast} ${unit}`;
}

function workloadSection(workload: Workload, results: Results): string {
  const cases = results.workloads[workload.name] ?? {};
  const columns = Object.keys(cases).flatMap((name) =>
    workload.columns.filter((column) => column.cases?.includes(name) ?? true).map((column) => ({ name, column })),
  );
  const rows = ENTRIES.flatMap(({ name: entry }) => {
    const figures = columns.map(({ name, column }) => cell(cases[name]?.[entry]?.[column.metric], column));
    return figures.every((text) => text === "") ? [] : [[entry, ...figures]];
  });
  const heads = columns.map(({ name, column }) => `${name}: ${column.title}`);
  const aligned = [false, ...columns.map(() => true)];
  return `\n### ${workload.title}\n\n${workload.description}\n\n${table(["", ...heads], rows, aligned)}`;
}

/** The median, and how far the rounds lie apart. */
function cell(figure: Figure | undefined, { digits }: Column): string {
  if (!figure) return "";
  const spread = (figure.highest - figure.lowest) / 2;
  const shown = number(figure.median, digits);
  return figure.rounds > 1 && spread > 0 ? `${shown} ±${number(spread, digits)}` : shown;
}

function number(value: number, digits: number): string {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function contestantTable({ versions, workloads }: Results): string {
  const measured = new Set(Object.values(workloads).flatMap((cases) => Object.values(cases).flatMap(Object.keys)));
  const taking = CONTESTANTS.filter((it) =>
    ENTRIES.some(({ name, contestant }) => contestant === it && measured.has(name)),
  );
  const rows = taking.map(({ name, packages, client, variants, wakesWaiters, remark }) => {
    const versioned = packages.map((name) => `${name} ${versions[name] ?? ""}`.trim());
    const tunings = variants.flatMap(({ name, tuning }) => (tuning ? [`${name}: ${tuning}`] : []));
    const remarks = [...(wakesWaiters ? ["wakes waiters by pub/sub"] : []), ...(remark ? [remark] : [])].join("; ");
    return [name, versioned.join(", "), client === "none" ? "" : client, tunings.join("; "), remarks];
  });
  return table(["", "packages", "client", "variants beside the default", "remark"], rows, []);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[], right: readonly boolean[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = `|${heads.map((_, index) => (right[index] ? "---:" : "---")).join("|")}|`;
  return [line(heads), rule, ...rows.map(line), ""].join("\n");
}
