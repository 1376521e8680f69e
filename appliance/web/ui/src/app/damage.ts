import { effect, signal } from "@preact/signals";

import { http } from "../api/client";
import { events, session } from "./session";

/** How many stored files are damaged or missing, for administrators; 0 for everybody else. */
export const faults = signal(0);

export async function loadFaults(): Promise<void> {
  faults.value = (await http.get<{ faults: number }>("/api/system/scrub")).faults;
}

export function startDamage(): void {
  const look = (): void => void loadFaults().catch(() => undefined);
  events.on("damage.found", look);
  effect(() => {
    if (session.value?.permissions.administer) look();
    else faults.value = 0;
  });
}
