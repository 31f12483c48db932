import { appendFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Entry, Journal, readPages } from "./journal.ts";

it("gives back what was written, without a line that a kill cut short", async () => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-journal-"));
  const path = join(directory, "journal");
  const journal = new Journal(path);
  const [first, second] = [journal.newId(), journal.newId()];
  const entry: Entry = { type: "grant", id: second, at: 1.5, token: 7 };
  journal.write(entry);
  journal.mark(second, "heldUntil", 2.5);
  journal.mark(second, "quietUntil", 2.25);
  journal.mark(second, "heldUntil", 3.5);
  journal.close();
  appendFileSync(path, '{"type":"over","id":2');
  const { entries, marks } = readPages(path);
  expect(entries).toEqual([entry]);
  expect(marks.get(second)).toEqual({ heldUntil: 3.5, quietUntil: 2.25 });
  expect(marks.get(first)).toEqual({ heldUntil: 0, quietUntil: 0 });
  expect(readPages(join(directory, "none")).entries).toEqual([]);
  await rm(directory, { recursive: true });
});
