import fc from "fast-check";
import { expect, it } from "vitest";
import { Bag, type Baggable } from "../../src/runtime/bag.ts";
import { BusyMap } from "../../src/runtime/busy-map.ts";

const comings = fc.array(fc.record({ comes: fc.boolean(), who: fc.nat({ max: 5 }), key: fc.nat({ max: 2 }) }));

it("a bag holds what a set would, whatever comes and goes", () => {
  fc.assert(
    fc.property(comings, (steps) => {
      const people: readonly Baggable[] = Array.from({ length: 6 }, () => ({}));
      const bag = new Bag();
      const set = new Set<Baggable>();
      for (const { comes, who } of steps) {
        const one = people[who] as Baggable;
        if (comes) {
          bag.add(one);
          set.add(one);
        } else {
          bag.delete(one);
          set.delete(one);
        }
        expect(new Set(bag.toArray())).toEqual(set);
        expect(bag.toArray()).toHaveLength(set.size);
      }
    }),
  );
});

it("a busy map holds what a map would, and deletes what it is told to, not what has come in its place", () => {
  fc.assert(
    fc.property(comings, (steps) => {
      const people = Array.from({ length: 6 }, (_, id) => ({ id }));
      const busy = new BusyMap<{ readonly id: number }>();
      const map = new Map<string, { readonly id: number }>();
      for (const { comes, who, key } of steps) {
        const [name, one] = [`key ${key}`, people[who] as { readonly id: number }];
        if (comes) {
          busy.set(name, one);
          map.set(name, one);
        } else {
          busy.delete(name, one);
          if (map.get(name) === one) map.delete(name);
        }
        expect(busy.get(name)).toBe(map.get(name));
        expect(new Set(busy.values())).toEqual(new Set(map.values()));
      }
    }),
  );
});
