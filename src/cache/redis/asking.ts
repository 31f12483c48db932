import type { NodeClient } from "./client.ts";

const handled = new WeakSet<NodeClient>();

/**
 * Keeps a slot that moves from ending the process. A Cluster that is answered
 * `ASK` sends `ASKING` ahead of the command to the other node, and drops its
 * promise: if that connection breaks first, nobody handles the rejection.
 * Nothing is lost by ignoring it, for the command itself fails as well.
 */
export function ignoreAskingFailures(node: NodeClient): void {
  // Several stores may be on one client of the caller.
  if (handled.has(node)) return;
  handled.add(node);
  const { asking } = node;
  node.asking = (...args) => {
    const asked = asking.apply(node, args);
    asked.catch(() => {});
    return asked;
  };
}
