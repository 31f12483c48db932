/** Something that will happen; `run` is `undefined` once it was cancelled. */
export interface Happening {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * The one queue of everything that happens in a simulated world, by true time;
 * what is due at the same time happens in the order in which it was planned.
 */
export class Timeline {
  #nowMs = 0;
  #planned = 0;
  readonly #heap: Happening[] = [];

  /** True time, which no clock in the world shows. */
  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, run: () => void): Happening {
    const happening: Happening = { atMs: Math.max(atMs, this.#nowMs), order: this.#planned++, run };
    this.#push(happening);
    return happening;
  }

  after(delayMs: number, run: () => void): Happening {
    return this.at(this.#nowMs + delayMs, run);
  }

  /** Moves on to what happens next, but not past `untilMs`; `undefined` when nothing does. */
  next(untilMs: number): (() => void) | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.run === undefined) {
        this.#pop();
        continue;
      }
      if (first.atMs > untilMs) break;
      this.#pop();
      this.#nowMs = first.atMs;
      return first.run;
    }
    if (untilMs !== Number.POSITIVE_INFINITY) this.#nowMs = Math.max(this.#nowMs, untilMs);
    return undefined;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Happening;
      if (!isBefore(happening, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Happening;
    const size = heap.length;
    if (size === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1] as Happening, heap[child] as Happening)) child += 1;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
