import { computed, signal } from "@preact/signals";

import { account, http } from "../api/client";
import { EventStream } from "../api/events";
import { Problem } from "../api/problem";
import type { Session } from "../api/types";

export type Standing = "unknown" | "setup" | "signed-out" | "signed-in";

export const session = signal<Session | null>(null);
export const standing = signal<Standing>("unknown");
export const connected = signal(true);
export const trouble = signal<Problem | null>(null);
export const me = computed(() => session.value?.user ?? null);

export const events = new EventStream();

/** Take a session as the answer of setup, registration or sign-in. */
export function begin(answer: Session): void {
  session.value = answer;
  standing.value = "signed-in";
  events.start();
}

export function end(): void {
  events.stop();
  session.value = null;
  standing.value = "signed-out";
}

/** Ask the box who is signed in, and when nobody is, whether it waits to be claimed. */
export async function loadSession(): Promise<void> {
  trouble.value = null;
  try {
    begin(await account.session());
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) {
      trouble.value = error instanceof Problem ? error : null;
      if (!(error instanceof Problem)) throw error;
      return;
    }
    standing.value = (await account.setupNeeded().catch(() => false)) ? "setup" : "signed-out";
  }
}

export async function signOut(): Promise<void> {
  await account.signOut().catch(() => undefined);
  end();
}

http.onSignedOut = () => {
  if (standing.value === "signed-in") end();
};
events.on("connected", () => {
  connected.value = true;
});
events.on("lost", () => {
  connected.value = false;
  // A socket closed because the session ended looks like a lost line: ask which it was.
  if (session.value) account.session().catch(() => undefined);
});
events.on("session.ended", () => {
  account.session().catch(() => undefined);
});
