/** What Prometheus gets to see, and whether the dashboard asks for that. */

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../../src/connect.ts";
import { createManager } from "../../../src/manager/index.ts";
import { telemetry } from "../../../src/telemetry/index.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";

interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

describe("a scrape", () => {
  let store: RedisServer;
  let endpoint: Server;
  let meters: MeterProvider;
  let text: string;

  beforeAll(async () => {
    store = await startServer();
    const exporter = new PrometheusExporter({ preventServerStart: true });
    meters = new MeterProvider({ readers: [exporter] });
    metrics.setGlobalMeterProvider(meters);
    endpoint = createServer((request, response) => exporter.getMetricsRequestHandler(request, response)).listen(0);
    text = await scrapeInTheMiddleOfEverything();
  });

  afterAll(async () => {
    metrics.disable();
    await meters.shutdown();
    endpoint.closeAllConnections();
    await new Promise((resolve) => endpoint.close(resolve));
    await store.stop();
  });

  /** Makes everything happen that is measured. */
  async function scrapeInTheMiddleOfEverything(): Promise<string> {
    await using hold = await connect(store.url, { telemetry: telemetry() });
    await using manager = createManager({
      resolve: (tenantId) => ({ url: `${store.url}/${tenantId}` }),
      maxConnections: 1,
      telemetry: telemetry(),
    });
    for (const tenantId of ["1", "2"]) await (await manager.get(tenantId)).health();
    await store.command("LPUSH", "list", "of another program");
    await expect(hold.cache.get("list")).rejects.toMatchObject({ code: "ERR_OPERATION" });
    await hold.withLock("lock", () => hold.tryAcquireLock("lock"));
    const lock = await hold.acquireLock("stolen", { ttlMs: 200 });
    const lost = new Promise((resolve) => lock.signal.addEventListener("abort", resolve));
    await store.command("DEL", "lock:{stolen}");
    await lost;
    const ship = hold.idempotent(async () => "shipped", { name: "ship", key: () => "order" });
    await ship(undefined);
    await ship(undefined);
    const term = await hold.election("scheduler").campaign();
    // What takes a blocked event loop, or a store that goes away at the wrong moment.
    telemetry().observer({ kind: "lock", name: "lock", type: "stalled", lateMs: 1 });
    telemetry().observer({ kind: "lock", name: "lock", type: "release-failed", error: new Error("gone") });
    const response = await fetch(`http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/metrics`);
    await term.resign();
    return response.text();
  }

  it("has a series for everything that is measured, by the names of Prometheus", () => {
    for (const series of [
      /^db_client_operation_duration_count\{.*db_system_name="redis".*db_operation_name="getOrSet".*\} \d+$/m,
      /^holdfast_lock_acquisitions_total\{.*outcome="occupied".*\} 1$/m,
      /^holdfast_lock_wait_duration_bucket\{.*le="0.005".*\} \d+$/m,
      /^holdfast_lock_hold_duration_count\{.*outcome="released".*\} 1$/m,
      /^holdfast_lease_renewals_total\{.*kind="lock".*outcome="refused".*\} 1$/m,
      /^holdfast_lease_lost_total\{.*kind="lock".*reason="taken".*\} 1$/m,
      /^holdfast_idempotency_requests_total\{.*name="ship".*outcome="replayed".*\} 1$/m,
      /^holdfast_idempotency_duration_count\{.*outcome="executed".*\} 1$/m,
      /^holdfast_leader_state(\{.*\})? 1$/m,
      /^holdfast_manager_connections\{.*state="idle".*\} 1$/m,
      /^holdfast_manager_openings_total\{.*outcome="opened".*\} 2$/m,
      /^holdfast_manager_evictions_total\{.*reason="limit".*\} 1$/m,
    ]) {
      expect(text).toMatch(series);
    }
  });

  it("has every metric that is documented, and no other", () => {
    const documentation = readFileSync(new URL("../../../docs/telemetry.md", import.meta.url), "utf8");
    const rows = [...documentation.matchAll(/^\| `((?:holdfast|db)\.[\w.]+)` \| (counter|histogram|gauge)/gm)];
    const documented = rows.map(
      ([, name = "", kind]) => name.replaceAll(".", "_") + (kind === "counter" ? "_total" : ""),
    );
    expect(documented.sort()).toEqual(families(labelsByMetric(text).keys()));
  });

  it("has every metric and label that a panel of the dashboard asks for", () => {
    const file = new URL("../../../docs/grafana/holdfast.json", import.meta.url);
    const { panels } = JSON.parse(readFileSync(file, "utf8")) as { panels: readonly Panel[] };
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(10);
    const labels = labelsByMetric(text);
    const asked = new Set<string>();
    for (const query of queries) {
      const names = [...labels.keys()].filter((name) => selectorOf(query).test(name));
      expect(names, query).toHaveLength(1);
      for (const name of names) {
        asked.add(name);
        for (const label of labelsIn(query)) expect(labels.get(name), `${label} in ${query}`).toContain(label);
      }
    }
    // The dashboard shows all that there is.
    expect(families(asked)).toEqual(families(labels.keys()));
  });
});

/** The metrics that these series belong to. */
function families(series: Iterable<string>): string[] {
  return [...new Set([...series].map((name) => name.replace(/_(bucket|sum|count)$/, "")))].sort();
}

/** The metrics of ours in a scrape, with the labels of their series. */
function labelsByMetric(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, name = "", labels = ""] of text.matchAll(/^((?:holdfast|db_client)_\w+)(?:\{(.*)\})? /gm)) {
    const known = found.get(name) ?? new Set<string>(["instance", "job"]);
    for (const [, label = ""] of labels.matchAll(/(\w+)="/g)) known.add(label);
    found.set(name, known);
  }
  return found;
}

/**
 * Which metric a query is about. Its name may be a pattern: the same metric ends in `_seconds` when it takes the way
 * through a collector, and does not when the process is scraped.
 */
function selectorOf(query: string): RegExp {
  const [, pattern] = /__name__=~"([^"]+)"/.exec(query) ?? [];
  const [name] = /\b(holdfast|db_client)_\w+/.exec(query) ?? ["-"];
  return new RegExp(`^(${pattern ?? name})$`);
}

/** The labels that a query selects or groups by. */
function labelsIn(query: string): string[] {
  const selected = [...query.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = ""]) => label);
  const grouped = [...query.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/\s*,\s*/));
  return [...selected, ...grouped].filter((label) => label !== "" && label !== "__name__");
}
