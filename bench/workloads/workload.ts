import type { Offer, Subject } from "../contestants/contestant.ts";
import type { Entry } from "../contestants/index.ts";
import type { Stage } from "../process/stage.ts";

/** Something that contestants are measured at, side by side. */
export interface Workload {
  /** For `--only`. */
  readonly name: string;
  /** Above its table. */
  readonly title: string;
  /** Below its title: what is done and counted. */
  readonly description: string;
  readonly offer: Offer;
  /** Leaves out entries that offer it all the same. */
  readonly suits?: (entry: Entry) => boolean;
  cases(scale: Scale): readonly Case[];
  /** The columns of its table. */
  readonly columns: readonly Column[];
  /** Gives every case a process of its own, which is killed afterwards. */
  readonly isolated?: true;
  /**
   * What processes can be called for. `check` is called once and must throw unless the contestant does what it is
   * measured for. `measure` is called in rounds. Others are for the workload itself.
   */
  readonly roles: { readonly check: Role<never>; readonly measure: Role<never> } & Readonly<
    Record<string, Role<never>>
  >;
}

export interface Scale {
  readonly quick: boolean;
  /** Measured rounds, after the first, which warms up. */
  readonly rounds: number;
  readonly sliceMs: number;
}

export interface Case {
  readonly name: string;
  readonly params: object;
  /** Instead of those of the scale. */
  readonly rounds?: number;
  /** A contestant that has needed this long for a case sits out its further rounds. */
  readonly budgetMs?: number;
}

export interface Column {
  readonly metric: string;
  readonly title: string;
  readonly digits: number;
  /** Only in these cases. */
  readonly cases?: readonly string[];
}

export type Role<Params> = (subject: Subject, params: Params, stage: Stage) => Promise<unknown>;

/**
 * What `measure` gives. Round 0 warms up; of it only those figures are kept that the later rounds do not give, such as
 * the count of commands, which slows the server down.
 */
export type Metrics = Readonly<Record<string, number>>;

/** Every call of `measure` is told its round. */
export interface Round {
  readonly round: number;
}
