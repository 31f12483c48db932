import { spawn } from "node:child_process";

// Waits for a line on its standard input. End of input without one means that this process is gone, however it
// ended (SIGKILL included): then the server goes too.
const SCRIPT = `trap "" INT TERM HUP; read -r line || { kill -9 "$1"; rm -rf "$2"; }`;

/** Kills process `pid` and removes `directory` if this process dies before it calls what is returned. */
export function watchOver(pid: number, directory: string): () => void {
  const watchdog = spawn("sh", ["-c", SCRIPT, "watchdog", String(pid), directory], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  watchdog.unref();
  const { stdin } = watchdog;
  stdin.on("error", () => undefined);
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  return () => stdin.end("done\n");
}
