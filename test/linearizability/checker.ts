/**
 * Is a history linearizable? Is there an order of its operations that a single
 * thread could have executed with the same results, in which an operation that
 * had ended before another began comes first?
 *
 * The search is that of Wing and Gong ("Testing and Verifying Concurrent
 * Objects", 1993) with the memory of Lowe ("Testing for Linearizability", 2017):
 * a set of executed operations together with a state is looked at only once.
 * Objects that share nothing (keys, locks) are judged one by one.
 */

/** One operation, as its caller has seen it. Times are of one clock for all callers. */
export interface Operation<Input, Output> {
  readonly input: Input;
  /** `undefined` when the outcome is unknown: it took effect at some time after the call, or never. */
  readonly output: Output | undefined;
  readonly calledAt: number;
  /** Means nothing when the outcome is unknown. */
  readonly returnedAt: number;
}

/** What an object does, one operation at a time. States are never changed in place. */
export interface Model<State, Input, Output> {
  readonly name: string;
  readonly initial: State;
  /**
   * The states in which the operation can leave the object: none if its output
   * is not possible in `state`, several if the object decides (an expiry).
   *
   * @param beforeMs it took effect before this time
   */
  step(state: State, operation: Operation<Input, Output>, beforeMs: number): readonly State[];
  /** Equal for states that behave alike. */
  keyOf(state: State): string;
}

export interface Verdict<Input, Output> {
  readonly isLinearizable: boolean;
  /** The longest order that was found to be possible: of all operations, if it is linearizable. */
  readonly longest: readonly Operation<Input, Output>[];
}

/** Judges the history of one object. */
export function judge<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): Verdict<Input, Output> {
  return new Search(model, history).run();
}

/** Judges a history object by object; returns the verdicts of those that are not linearizable. */
export function judgeAll<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  objectOf: (input: Input) => string,
): Map<string, Verdict<Input, Output>> {
  const refused = new Map<string, Verdict<Input, Output>>();
  for (const [object, operations] of groupBy(history, ({ input }) => objectOf(input))) {
    const verdict = judge(model, operations);
    if (!verdict.isLinearizable) refused.set(object, verdict);
  }
  return refused;
}

/** The call or the return of an operation, in a list by time of those that have not been executed. */
interface Entry {
  readonly operation: number;
  readonly isCall: boolean;
  previous: Entry | undefined;
  next: Entry | undefined;
}

/** An operation that may be executed next, and the state that it leads to. */
interface Choice<State> {
  readonly operation: number;
  readonly state: State;
}

/** A point of the search: what was executed last, and what has not been tried yet. */
interface Point<State> {
  readonly chosen: Choice<State>;
  readonly choices: Iterator<Choice<State>>;
}

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #history: readonly Operation<Input, Output>[];
  /** From here on in the history outcomes are unknown: these operations are in no list, and may stay out of the order. */
  readonly #firstUnknown: number;
  /** The list of all others begins after it. */
  readonly #head: Entry = { operation: -1, isCall: false, previous: undefined, next: undefined };
  readonly #calls: Entry[] = [];
  readonly #returns: Entry[] = [];
  readonly #executed: Executed;
  readonly #seen = new Set<string>();
  #longest: readonly number[] = [];

  constructor(model: Model<State, Input, Output>, history: readonly Operation<Input, Output>[]) {
    this.#model = model;
    this.#history = history.toSorted((a, b) => Number(isUnknown(a)) - Number(isUnknown(b)) || a.calledAt - b.calledAt);
    const first = this.#history.findIndex(isUnknown);
    this.#firstUnknown = first < 0 ? history.length : first;
    this.#executed = new Executed(history.length);
    this.#link();
  }

  run(): Verdict<Input, Output> {
    const { initial } = this.#model;
    const start: Point<State> = { chosen: { operation: -1, state: initial }, choices: this.#choices(initial) };
    const path = [start];
    for (let point = path.at(-1); point && this.#head.next; point = path.at(-1)) {
      const next = this.#nextNew(point.choices);
      if (next) {
        this.#execute(next.operation);
        const without = next.operation >= this.#firstUnknown ? point.chosen.state : undefined;
        path.push({ chosen: next, choices: this.#choices(next.state, without) });
      } else {
        if (path.length - 1 > this.#longest.length) this.#longest = orderOf(path);
        path.pop();
        if (path.length > 0) this.#undo(point.chosen.operation);
      }
    }
    const isLinearizable = path.length > 0;
    const order = isLinearizable ? orderOf(path) : this.#longest;
    return { isLinearizable, longest: order.map((index) => this.#history[index] as Operation<Input, Output>) };
  }

  /**
   * What can come next: any call before the first return, those of unknown outcome last, since most are not needed.
   *
   * @param without the state before an operation of unknown outcome that was executed last: unless what comes next
   *   shows its effect, it was executed for nothing
   */
  *#choices(state: State, without?: State): Generator<Choice<State>> {
    const beforeMs = this.#firstReturnMs();
    for (const operation of this.#candidates(beforeMs)) {
      const needless = without === undefined ? [] : this.#keysAfter(without, operation, beforeMs);
      // What changes nothing and was never answered need not have happened.
      if (operation >= this.#firstUnknown) needless.push(this.#model.keyOf(state));
      for (const next of this.#model.step(state, this.#operation(operation), beforeMs)) {
        if (!needless.includes(this.#model.keyOf(next))) yield { operation, state: next };
      }
    }
  }

  *#candidates(beforeMs: number): Generator<number> {
    for (let entry = this.#head.next; entry?.isCall; entry = entry.next) yield entry.operation;
    for (let operation = this.#firstUnknown; operation < this.#history.length; operation++) {
      if (this.#operation(operation).calledAt > beforeMs) return;
      if (!this.#executed.has(operation)) yield operation;
    }
  }

  #firstReturnMs(): number {
    let entry = this.#head.next;
    while (entry?.isCall) entry = entry.next;
    return entry === undefined ? Number.POSITIVE_INFINITY : this.#operation(entry.operation).returnedAt;
  }

  #keysAfter(state: State, operation: number, beforeMs: number): string[] {
    return this.#model.step(state, this.#operation(operation), beforeMs).map((next) => this.#model.keyOf(next));
  }

  /** The first choice that leads where the search has not been. */
  #nextNew(choices: Iterator<Choice<State>>): Choice<State> | undefined {
    for (let next = choices.next(); !next.done; next = choices.next()) {
      const { operation, state } = next.value;
      this.#executed.add(operation);
      const key = `${this.#executed.key()}|${this.#model.keyOf(state)}`;
      this.#executed.delete(operation);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      return next.value;
    }
    return undefined;
  }

  #execute(operation: number): void {
    this.#executed.add(operation);
    if (operation >= this.#firstUnknown) return;
    unlink(this.#calls[operation] as Entry);
    unlink(this.#returns[operation] as Entry);
  }

  #undo(operation: number): void {
    this.#executed.delete(operation);
    if (operation >= this.#firstUnknown) return;
    relink(this.#returns[operation] as Entry);
    relink(this.#calls[operation] as Entry);
  }

  #operation(index: number): Operation<Input, Output> {
    return this.#history[index] as Operation<Input, Output>;
  }

  /** Links calls and returns by time; at the same time calls first, which leaves more orders open. */
  #link(): void {
    const known = this.#history.slice(0, this.#firstUnknown);
    const events = known.flatMap(({ calledAt, returnedAt }, operation) => [
      { operation, isCall: true, at: calledAt },
      { operation, isCall: false, at: returnedAt },
    ]);
    events.sort((a, b) => a.at - b.at || Number(b.isCall) - Number(a.isCall));
    let last = this.#head;
    for (const { operation, isCall } of events) {
      const entry: Entry = { operation, isCall, previous: last, next: undefined };
      last.next = entry;
      last = entry;
      (isCall ? this.#calls : this.#returns)[operation] = entry;
    }
  }
}

/** A set of operations. They are executed nearly in order, so its key is short. */
class Executed {
  readonly #flags: Uint8Array;
  /** All before it are in the set. */
  #first = 0;
  /** None from it on is in the set. */
  #end = 0;

  constructor(size: number) {
    this.#flags = new Uint8Array(size);
  }

  add(operation: number): void {
    this.#flags[operation] = 1;
    this.#end = Math.max(this.#end, operation + 1);
    while (this.#flags[this.#first] === 1) this.#first += 1;
  }

  delete(operation: number): void {
    this.#flags[operation] = 0;
    this.#first = Math.min(this.#first, operation);
    while (this.#end > 0 && this.#flags[this.#end - 1] === 0) this.#end -= 1;
  }

  has(operation: number): boolean {
    return this.#flags[operation] === 1;
  }

  key(): string {
    let key = String(this.#first);
    for (let operation = this.#first + 1; operation < this.#end; operation++) {
      if (this.#flags[operation] === 1) key += `,${operation}`;
    }
    return key;
  }
}

function isUnknown({ output }: Operation<unknown, unknown>): boolean {
  return output === undefined;
}

/** The operations of a path; its first point is the beginning, before any of them. */
function orderOf(path: readonly Point<unknown>[]): number[] {
  return path.slice(1).map(({ chosen }) => chosen.operation);
}

function unlink({ previous, next }: Entry): void {
  if (previous) previous.next = next;
  if (next) next.previous = previous;
}

/** Puts an entry back where it was. Only in the reverse order of unlinking. */
function relink(entry: Entry): void {
  if (entry.previous) entry.previous.next = entry;
  if (entry.next) entry.next.previous = entry;
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
