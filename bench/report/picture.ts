import { CONTESTANTS, ENTRIES } from "../contestants/index.ts";
import type { Results } from "../results.ts";

interface Panel {
  readonly title: string;
  readonly workload: string;
  readonly case: string;
  readonly metric: string;
  readonly better: "higher" | "lower";
  /** For what differs by orders of magnitude. */
  readonly logarithmic?: true;
  readonly format: (value: number) => string;
}

interface Bar {
  readonly name: string;
  readonly role: string;
  readonly value: number;
}

const thousands = (value: number): string => `${(value / 1_000).toFixed(1)} k/s`;
const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

const PANELS: readonly Panel[] = [
  {
    title: "Lock and unlock, 64 callers (more is better)",
    workload: "lock",
    case: "64",
    metric: "perSecond",
    better: "higher",
    format: thousands,
  },
  {
    title: "Hand-over among 32 waiters, p99, defaults (less is better, logarithmic)",
    workload: "handover",
    case: "1 process",
    metric: "p99Ms",
    better: "lower",
    logarithmic: true,
    format: milliseconds,
  },
  {
    title: "Duplicate delivery, 64 callers (more is better)",
    workload: "idempotency",
    case: "duplicate 64",
    metric: "perSecond",
    better: "higher",
    format: thousands,
  },
  {
    title: "Cache get, 64 callers (more is better)",
    workload: "cache",
    case: "get 64",
    metric: "perSecond",
    better: "higher",
    format: thousands,
  },
];

const WIDTH = 860;
const LABEL_WIDTH = 250;
const VALUE_WIDTH = 90;
const BAR_HEIGHT = 16;
const BAR_STEP = 22;
const TITLE_STEP = 44;

/** The most telling figures as bars; of the panels that were measured. Readable on a light and on a dark page. */
export function picture(results: Results): string {
  let y = 0;
  const parts: string[] = [];
  for (const panel of PANELS) {
    const bars = barsOf(panel, results);
    if (bars.length === 0) continue;
    parts.push(draw(panel, bars, y));
    y += TITLE_STEP + bars.length * BAR_STEP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 12}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>Holdfast side by side with its peers</title>
<style>
text { fill: #1f2328 } .holdfast { fill: #0969da } .floor { fill: #9198a1 } .peer { fill: #bf8700 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .holdfast { fill: #4493f8 } .peer { fill: #d29922 } }
</style>
${parts.join("\n")}
</svg>
`;
}

/** Each contestant's best variant; for contention its default, which is what people run. */
function barsOf({ workload, case: name, metric, better }: Panel, results: Results): Bar[] {
  const figures = results.workloads[workload]?.[name] ?? {};
  const sign = better === "higher" ? -1 : 1;
  const bars = CONTESTANTS.flatMap((contestant): Bar[] => {
    const values = ENTRIES.filter((entry) => entry.contestant === contestant)
      .filter(({ variant }) => better === "higher" || variant.name === "default")
      .flatMap((entry) => figures[entry.name]?.[metric]?.median ?? [])
      .toSorted((a, b) => sign * (a - b));
    const [value] = values;
    return value === undefined ? [] : [{ name: contestant.name, role: contestant.role, value }];
  });
  return bars.toSorted((a, b) => sign * (a.value - b.value));
}

function draw({ title, logarithmic, format }: Panel, bars: readonly Bar[], top: number): string {
  const values = bars.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const share = (value: number): number =>
    logarithmic ? Math.log((2 * value) / least) / Math.log((2 * most) / least) : value / most;
  const longest = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const rows = bars.map(({ name, role, value }, index) => {
    const y = top + TITLE_STEP - 8 + index * BAR_STEP;
    const width = Math.max(1, share(value) * longest).toFixed(1);
    const weight = role === "holdfast" ? ' font-weight="600"' : "";
    const middle = y + 12.5;
    return [
      `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end"${weight}>${name}</text>`,
      `<rect class="${role}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`,
      `<text x="${LABEL_WIDTH + Number(width) + 6}" y="${middle}"${weight}>${format(value)}</text>`,
    ].join("");
  });
  return [`<text x="0" y="${top + 22}" font-weight="600">${title}</text>`, ...rows].join("\n");
}
