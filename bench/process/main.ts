/** What runs in each process: opens its contestant, then plays the roles that it is called for. */
import type { Contestant } from "../contestants/contestant.ts";
import { WORKLOADS } from "../workloads/index.ts";
import type { Answer, Assignment, Call } from "./contestant-process.ts";
import { Stage } from "./stage.ts";

const assignment: Assignment = JSON.parse(process.argv[2] ?? "");
const { contestant }: { contestant: Contestant } = await import(`../contestants/${assignment.contestant}.ts`);
const variant = contestant.variants.find(({ name }) => name === assignment.variant);
if (!variant) throw new Error(`${contestant.name} has no variant "${assignment.variant}"`);

const stage = new Stage(assignment, () => variant.open(assignment.url));
const subject = await variant.open(assignment.url);

// Nobody is there any more to be told what comes out.
process.once("disconnect", () => process.exit());
process.on("message", (call: Call) => void play(call));
answer({ id: 0 });

async function play({ id, workload, role, params }: Call): Promise<void> {
  try {
    const play = WORKLOADS.find(({ name }) => name === workload)?.roles[role];
    if (!play) throw new Error(`There is no role "${role}" in the workload "${workload}"`);
    answer({ id, result: await play(subject, params as never, stage) });
  } catch (error) {
    answer({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

function answer(message: Answer): void {
  process.send?.(message);
}
