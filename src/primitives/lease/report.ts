import type { LeaseObserver } from "./events.ts";
import type { LeaseEvents } from "./lease.ts";
import type { LeaseKind } from "./names.ts";

/** What every lease tells its observer, whatever it is for; that it stalled only once. */
export function reportTo(
  observer: LeaseObserver,
  kind: LeaseKind,
  name: string,
): Required<Pick<LeaseEvents, "renewed" | "stalled" | "releaseFailed">> {
  let stalled = false;
  return {
    renewed: (outcome, error) => {
      observer({ type: "renewed", kind, name, outcome });
      if (error !== undefined) observer({ type: "store-error", kind, name, error });
    },
    stalled: (lateMs) => {
      if (!stalled) observer({ type: "stalled", kind, name, lateMs });
      stalled = true;
    },
    releaseFailed: (error) => observer({ type: "release-failed", kind, name, error }),
  };
}
