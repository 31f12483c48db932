/**
 * The direction of imports, which ARCHITECTURE.md explains. The sources are read with swc, because TypeScript 7 has no
 * compiler API that dependency-cruiser could use.
 */

const RUNTIME = "runtime/";
const CONTRACT = "cache/(?!memory/|redis/)";

/** Part of src → the other parts that it may import. Two parts that may not know each other are two rows. */
const MAY_IMPORT = {
  "runtime/": [],
  [CONTRACT]: [RUNTIME],
  "cache/memory/": [CONTRACT, RUNTIME],
  "cache/redis/": [CONTRACT, RUNTIME],
  "primitives/lease/": [CONTRACT, RUNTIME],
  "primitives/lock/": ["primitives/lease/", CONTRACT, RUNTIME],
  "primitives/idempotency/": ["primitives/lease/", CONTRACT, RUNTIME],
  "primitives/leader/": ["primitives/lease/", CONTRACT, RUNTIME],
  "manager/": ["cache/", RUNTIME],
  "telemetry/": ["primitives/", "manager/", CONTRACT, RUNTIME],
  "testing/": [CONTRACT, RUNTIME],
};

const downwards = Object.entries(MAY_IMPORT).map(([part, others]) => ({
  name: `downwards-from-${part.replace("(?!memory/|redis/)", "contract/").replaceAll("/", "-")}only`,
  comment: `src/${part} may import ${["itself", ...others].join(", ")}; see ARCHITECTURE.md.`,
  severity: "error",
  from: { path: `^src/${part}` },
  to: { path: "^src/", pathNot: [part, ...others].map((allowed) => `^src/${allowed}`) },
}));

/** A package → the only part of src that loads it, so that nobody else pays for it. Types cost nothing. */
const ONLY_IN = {
  ioredis: "cache/redis/",
  "@opentelemetry/api": "telemetry/",
};

const contained = Object.entries(ONLY_IN).map(([name, part]) => ({
  name: `${name.replace(/\W/g, "-")}-only-in-one-part`,
  comment: `Only src/${part} loads ${name}.`,
  severity: "error",
  from: { path: "^src/", pathNot: `^src/${part}` },
  to: { path: `node_modules/${name}/`, dependencyTypesNot: ["type-only"] },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...downwards,
    ...contained,
    {
      name: "nobody-imports-the-front-door",
      comment: "src/index.ts is for users; inside, import the file that defines what you need.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^src/index\\.ts$" },
    },
    {
      name: "no-circles",
      comment: "Two files that need each other are one file, or need a third.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment: "An import leads to a file, or to a package that package.json names.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "sources-need-no-development-dependencies",
      comment: "What src imports must be installed with the package.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["npm", "npm-peer"] },
    },
    {
      name: "sources-stand-alone",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|examples|scripts)/" },
    },
  ],
  options: {
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
