import { codecTarget, refusalTarget } from "./codec.ts";
import { configurationTargets } from "./configuration.ts";
import { httpTargets } from "./http.ts";
import { recordTargets } from "./records.ts";
import { resultTargets } from "./results.ts";
import type { FuzzTarget } from "./target.ts";
import { tokenTarget } from "./tokens.ts";
import { typedTargets } from "./typed-values.ts";
import { electionWorld } from "./worlds/elections.ts";
import { gateWorld } from "./worlds/gates.ts";
import { lockWorld } from "./worlds/locks.ts";
import { messageWorld } from "./worlds/messages.ts";

export const targets: readonly FuzzTarget[] = [
  codecTarget,
  refusalTarget,
  ...recordTargets,
  tokenTarget,
  ...resultTargets,
  ...typedTargets,
  ...configurationTargets,
  ...httpTargets,
  lockWorld,
  gateWorld,
  messageWorld,
  electionWorld,
];
