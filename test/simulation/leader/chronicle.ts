import type { LeaderInfo } from "../../../src/primitives/leader/leader-info.ts";
import { decodeRecord } from "../../../src/primitives/lease/record.ts";
import type { Change } from "../kernel/store.ts";
import type { World } from "../kernel/world.ts";
import type { Oracle } from "../leases/oracle.ts";

const LEASE = "leader:";
const FENCE = "leader-fence:";
/** How often a message goes one way until an observer knows of a new leader: the bell, twice; its hint; two looks. */
const LEGS = 9;
/** How long it may stand back, twice, when it sees somebody who is about to lead. */
const STAND_BACK_MS = 70;

/** What is true of the leaders of one election, by the store. */
interface Reigns {
  /** Who was in the lease, with which token. Of several that guess the same token one has it issued. */
  readonly seen: Set<string>;
  /** The highest token that was ever in the fence. */
  issued: number;
  /**
   * Whether everybody has seen a fence. Before the first term of all there is none, and so nothing that would tell a
   * leader from who is about to be one.
   */
  isFenced: boolean;
  isLossy: boolean;
}

/**
 * What the observers of elections may be told, judged by what was in the store:
 * leaders that there were, each once, in the order of their terms, and soon.
 */
export class Chronicle {
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #lookMs: number;
  readonly #reigns = new Map<string, Reigns>();
  readonly #witnesses = new Set<Witness>();

  /** @param lookMs what was read of the store is believed in no longer than this */
  constructor(world: World, oracle: Oracle, lookMs: number) {
    this.#lookMs = lookMs;
    this.#world = world;
    this.#oracle = oracle;
    oracle.onChange = (change) => this.#onChange(change);
    oracle.onLoss = (key) => {
      const reigns = this.#reignsAt(key);
      if (reigns) reigns.isLossy = true;
    };
  }

  /** Somebody begins to follow an election. */
  witness(who: string, election: string): Witness {
    const sinceMs = this.#world.timeline.nowMs;
    const witness = new Witness(who, election, sinceMs, (leader) => this.#judge(witness, leader));
    this.#witnesses.add(witness);
    return witness;
  }

  /** Somebody leads: where nothing goes wrong, whoever follows the election hears of it soon. */
  elected(election: string, token: number, isOver: () => boolean): void {
    if (!this.#oracle.calm) return;
    const { timeline, setting } = this.#world;
    const soonMs = LEGS * setting.maxDelayMs + STAND_BACK_MS;
    const atMs = timeline.nowMs;
    timeline.after(soonMs, () => {
      if (isOver()) return;
      for (const { who, sinceMs, highest, ended, election: followed } of this.#witnesses) {
        if (followed !== election || ended || sinceMs > atMs || highest >= token) continue;
        this.#oracle.fail(`${who} has not heard of term ${token} after ${soonMs} ms`);
      }
    });
  }

  /** Nobody leads any more, and nothing has gone wrong for long. */
  checkLast({ who, last }: Witness): void {
    if (last !== null && last !== undefined) this.#oracle.fail(`${who} still believes in ${last}`);
  }

  #judge(witness: Witness, leader: LeaderInfo | null): void {
    const { who, last, election } = witness;
    const token = leader?.fencingToken ?? null;
    this.#world.log(() => `HEARD    ${who}: ${token}`);
    if (token === last) this.#oracle.fail(`${who} was told twice of ${token}`);
    const reigns = this.#reignsAt(`${LEASE}{${election}}`);
    if (token === null || reigns === undefined || reigns.isLossy || !reigns.isFenced) return;
    // A claim of unknown outcome that ran out may be made again, with the token that was issued for it.
    const isAgain = token === witness.highestFenced && this.#oracle.calm;
    if (token < witness.highestFenced || isAgain)
      this.#oracle.fail(`${who} was told of ${token} after ${witness.highestFenced}`);
    if (!reigns.seen.has(`${leader?.holder} ${token}`))
      this.#oracle.fail(`${who} was told of ${token}, which never was`);
    if (reigns.issued < token) this.#oracle.fail(`${who} was told of ${token} before it was issued`);
    witness.highestFenced = token;
  }

  #reignsAt(key: string): Reigns | undefined {
    const kind = [LEASE, FENCE].find((prefix) => key.startsWith(prefix));
    if (kind === undefined) return undefined;
    const election = key.slice(kind.length);
    const reigns = this.#reigns.get(election) ?? {
      seen: new Set<string>(),
      issued: 0,
      isFenced: false,
      isLossy: false,
    };
    this.#reigns.set(election, reigns);
    return reigns;
  }

  #onChange({ key, value }: Change): void {
    const reigns = this.#reignsAt(key);
    if (value === undefined || reigns === undefined) return;
    if (key.startsWith(FENCE)) {
      if (reigns.issued === 0) this.#world.timeline.after(this.#lookMs, () => (reigns.isFenced = true));
      reigns.issued = Math.max(reigns.issued, Number(Buffer.from(value).toString("latin1")));
      return;
    }
    const record = decodeRecord(value);
    if (record) reigns.seen.add(`${record.holder} ${record.fencingToken}`);
  }
}

/** What one observer was told. */
export class Witness {
  readonly who: string;
  readonly election: string;
  readonly sinceMs: number;
  readonly #judge: (leader: LeaderInfo | null) => void;
  /** `undefined`: nothing yet. */
  last: number | null | undefined;
  highest = 0;
  /** Of those that were told when there was a fence to tell them from guesses. */
  highestFenced = 0;
  /** It does not listen any more, or its coordinator was closed. */
  ended = false;

  constructor(who: string, election: string, sinceMs: number, judge: (leader: LeaderInfo | null) => void) {
    this.who = who;
    this.election = election;
    this.sinceMs = sinceMs;
    this.#judge = judge;
  }

  told(leader: LeaderInfo | null): void {
    this.#judge(leader);
    this.last = leader?.fencingToken ?? null;
    this.highest = Math.max(this.highest, this.last ?? 0);
  }
}
