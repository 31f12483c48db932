import { describe } from "../cache/checks.ts";
import { ConfigError } from "../cache/errors.ts";

/** Where the keys of a tenant are. */
export interface Territory {
  /** The places that lead to its store; a cluster has several. The same place never leads to two stores. */
  readonly endpoints: readonly string[];
  readonly prefix: string;
}

interface Claim {
  readonly prefix: string;
  readonly tenantId: string;
}

/**
 * Which keys belong to whom, for as long as the manager lives. A claim is never
 * given up: the keys that were written under it do not go away either.
 *
 * Prefixes on one endpoint are free of one another: none is the beginning of
 * another, as `a:` is of `a:b:`. Otherwise the tenant of `a:` could name a key
 * `b:x` and meet the key `x` of the tenant of `a:b:`.
 */
export class Claims {
  readonly #byTenant = new Map<string, Territory>();
  /** In the order of prefixes, so that only neighbours need to be compared. */
  readonly #byEndpoint = new Map<string, Claim[]>();

  /** @throws ConfigError when the keys are another tenant's, or the tenant had others before */
  claim(tenantId: string, territory: Territory): void {
    const known = this.#byTenant.get(tenantId);
    if (known !== undefined) checkSamePlace(tenantId, known, territory);
    const endpoints = territory.endpoints.filter((endpoint) => !known?.endpoints.includes(endpoint));
    const claim = { prefix: territory.prefix, tenantId };
    for (const endpoint of endpoints) checkFree(claim, endpoint, this.#claimsOn(endpoint));
    for (const endpoint of endpoints) {
      const claims = this.#claimsOn(endpoint);
      claims.splice(positionOf(claim.prefix, claims), 0, claim);
    }
    if (known === undefined) this.#byTenant.set(tenantId, territory);
    else if (endpoints.length > 0) {
      this.#byTenant.set(tenantId, { ...known, endpoints: [...known.endpoints, ...endpoints] });
    }
  }

  #claimsOn(endpoint: string): Claim[] {
    const known = this.#byEndpoint.get(endpoint);
    if (known !== undefined) return known;
    const claims: Claim[] = [];
    this.#byEndpoint.set(endpoint, claims);
    return claims;
  }
}

/** Locks would be held in two places if some processes still used the old one. */
function checkSamePlace(tenantId: string, known: Territory, found: Territory): void {
  const sameStore = found.endpoints.some((endpoint) => known.endpoints.includes(endpoint));
  if (sameStore && found.prefix === known.prefix) return;
  throw new ConfigError(
    `tenant ${describe(tenantId)} resolved to ${nameOf(known)} before and to ${nameOf(found)} now. ` +
      "A tenant can be moved only while no process uses it: stop them all, or give it another id",
  );
}

/** Of prefixes that are free of one another, the one that another begins with is its neighbour in their order. */
function checkFree(claim: Claim, endpoint: string, claims: readonly Claim[]): void {
  const position = positionOf(claim.prefix, claims);
  for (const other of [claims[position - 1], claims[position]]) {
    if (other === undefined || !overlap(claim.prefix, other.prefix)) continue;
    throw new ConfigError(
      `tenants ${describe(other.tenantId)} and ${describe(claim.tenantId)} would share keys on ${endpoint}: ` +
        `their prefixes are ${describe(other.prefix)} and ${describe(claim.prefix)}, and one is the beginning of the ` +
        "other or the same. Give each its own, or leave keyPrefix out to have one derived from the tenant's id",
    );
  }
}

function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** Where a prefix is, or would be, in a sorted list. */
function positionOf(prefix: string, claims: readonly Claim[]): number {
  let [from, to] = [0, claims.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((claims[middle] as Claim).prefix < prefix) from = middle + 1;
    else to = middle;
  }
  return from;
}

function nameOf({ endpoints, prefix }: Territory): string {
  return `${endpoints[0]} with the prefix ${describe(prefix)}`;
}
