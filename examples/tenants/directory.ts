import type { TenantConfig } from "../../src/manager/index.ts";

/** Which tenants there are, and where the data of each is. A real one would ask a database. */
export interface Directory {
  find(tenantId: string): TenantConfig | undefined;
}

/** Reads a directory from JSON: `{"acme": {"url": "redis://localhost:6379"}, …}`. */
export function readDirectory(json: string): Directory {
  const tenants = new Map(Object.entries(JSON.parse(json) as Record<string, TenantConfig>));
  return { find: (tenantId) => tenants.get(tenantId) };
}
