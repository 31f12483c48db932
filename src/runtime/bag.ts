/** What can be in a {@link Bag}: in one at a time. */
export interface Baggable {
  /** For the bag only. */
  place?: number | undefined;
}

/**
 * A set for things that come and go all the time. A `Set` that is busy outgrows its table again and again, and each old
 * table keeps what was in it alive until the next full garbage collection.
 */
export class Bag<T extends Baggable> {
  readonly #items: T[] = [];

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Harmless when it is in already. */
  add(item: T): void {
    if (item.place !== undefined) return;
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** Harmless when it is not in. */
  delete(item: T): void {
    const { place } = item;
    if (place === undefined) return;
    item.place = undefined;
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#items[place] = last;
    last.place = place;
  }

  /** In no particular order. */
  toArray(): T[] {
    return [...this.#items];
  }
}
