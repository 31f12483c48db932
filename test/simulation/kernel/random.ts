/**
 * Seeded random numbers (Mulberry32). A stream depends on its own seed only, so
 * removing one step from a schedule does not reshuffle the luck of all others.
 */
export class Random {
  #state: number;

  constructor(...seed: readonly number[]) {
    this.#state = seed.reduce(mix, 0x9e3779b9);
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }
}

function mix(state: number, part: number): number {
  let h = (state ^ Math.imul(part | 0, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
