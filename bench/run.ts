/**
 * `npm run bench`: Holdfast side by side with its peers. README.md says what is measured, and by which rules.
 *
 * Everything else is loaded once the peers are installed and the library is built.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Options, parseOptions, USAGE } from "./options.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

process.exitCode = await run(process.argv.slice(2));

async function run(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (!existsSync(`${HERE}node_modules`)) npm("install", "--prefix", HERE, "--no-audit", "--no-fund");
  if (options.build) npm("run", "--silent", "build");
  const { main } = await import("./main.ts");
  return main(options);
}

function npm(...args: readonly string[]): void {
  const { status } = spawnSync("npm", args, { cwd: `${HERE}..`, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed`);
}
