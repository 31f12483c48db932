import { judgeAll, type Operation } from "../../linearizability/checker.ts";
import { fencedResource, type WriteInput, type WriteOutput } from "../../linearizability/models.ts";
import type { Evidence } from "../evidence.ts";
import type { Write } from "../world.ts";
import type { Finding } from "./finding.ts";

/** A resource that checks tokens refuses those that are lower than one it has seen, and no others. */
export function judgeResources({ writes }: Evidence): Finding[] {
  const refused = judgeAll(fencedResource, writes.map(toOperation), ({ resource }) => resource);
  return [...refused].map(([resource, { longest }]) => {
    const at = Math.max(0, ...longest.map(({ returnedAt }) => returnedAt));
    return { rule: "resources", at, what: `${resource} let in a lower token, or refused one that was not` };
  });
}

function toOperation({ resource, token, accepted, at, doneAt }: Write): Operation<WriteInput, WriteOutput> {
  return { input: { resource, fencingToken: token }, output: { accepted }, calledAt: at, returnedAt: doneAt };
}
