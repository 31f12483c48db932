/** What an {@link ExpiryQueue} orders. `queueIndex` is the queue's own; -1 while not queued. */
export interface Expiring {
  expiresAtMs: number;
  queueIndex: number;
}

/**
 * Entries by their expiry, the earliest first: a binary heap in which each entry
 * knows its place, so that a changed expiry or a deletion costs O(log n) and
 * leaves no garbage behind. Entries that come with later and later expiries (the
 * usual case) are added in O(1). An entry that never expires is not kept.
 */
export class ExpiryQueue<T extends Expiring> {
  readonly #heap: T[] = [];

  /** The entry that expires first. */
  peek(): T | undefined {
    return this.#heap[0];
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Queues an entry, or puts it in its place after its expiry has changed. */
  place(entry: T): void {
    if (entry.expiresAtMs === Number.POSITIVE_INFINITY) {
      this.remove(entry);
      return;
    }
    if (entry.queueIndex < 0) {
      entry.queueIndex = this.#heap.length;
      this.#heap.push(entry);
    }
    this.#settle(entry);
  }

  remove(entry: T): void {
    if (entry.queueIndex < 0) return;
    const last = this.#heap.pop() as T;
    if (last !== entry) {
      this.#put(last, entry.queueIndex);
      this.#settle(last);
    }
    entry.queueIndex = -1;
  }

  /** Moves an entry up or down until its parent is not later and its children are not earlier. */
  #settle(entry: T): void {
    this.#rise(entry);
    this.#sink(entry);
  }

  #rise(entry: T): void {
    while (entry.queueIndex > 0) {
      const index = entry.queueIndex;
      const parent = this.#heap[(index - 1) >> 1] as T;
      if (parent.expiresAtMs <= entry.expiresAtMs) return;
      this.#put(entry, parent.queueIndex);
      this.#put(parent, index);
    }
  }

  #sink(entry: T): void {
    for (;;) {
      const index = entry.queueIndex;
      const left = this.#heap[2 * index + 1];
      if (left === undefined) return;
      const right = this.#heap[2 * index + 2];
      const child = right !== undefined && right.expiresAtMs < left.expiresAtMs ? right : left;
      if (entry.expiresAtMs <= child.expiresAtMs) return;
      this.#put(entry, child.queueIndex);
      this.#put(child, index);
    }
  }

  #put(entry: T, index: number): void {
    this.#heap[index] = entry;
    entry.queueIndex = index;
  }
}
