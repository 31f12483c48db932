/** A `Map` for things that come and go all the time: what has been deleted is let go, see `Bag`. */
export class BusyMap<T extends object> {
  readonly #slots = new Map<string, { item: T | undefined }>();

  get(key: string): T | undefined {
    return this.#slots.get(key)?.item;
  }

  set(key: string, item: T): void {
    this.#slots.set(key, { item });
  }

  /** Harmless when something else is there by now. */
  delete(key: string, item: T): void {
    const slot = this.#slots.get(key);
    if (slot?.item !== item) return;
    slot.item = undefined;
    this.#slots.delete(key);
  }

  values(): T[] {
    return Array.from(this.#slots.values(), ({ item }) => item as T);
  }
}
