import { computed, signal } from "@preact/signals";

import { account, box, http } from "../api/client";
import { EventStream } from "../api/events";
import { Line } from "../api/line";
import { offline, Problem } from "../api/problem";
import type { Session } from "../api/types";
import { benchAt } from "./bench-address";
import { dropEarly } from "./early";
import { Outbox } from "./outbox";
import { type Recalled, recall } from "./recall";
import { go, place } from "./router";

export type Standing = "unknown" | "setup" | "signed-out" | "signed-in";

export const session = signal<Session | null>(null);
export const standing = signal<Standing>("unknown");
/** The box has ended the session, and the page is still there: somebody has to sign in over it. */
export const expired = signal(false);
export const connected = signal(true);
export const trouble = signal<Problem | null>(null);
export const me = computed(() => session.value?.user ?? null);
/** The present user's work on its way to the box. */
export const outbox = signal<Outbox | null>(null);

export const events = new EventStream();
/** Somebody is signing out: nothing more is asked in that person's name. */
let leaving = false;
export const line = new Line({ ask: () => box.health(), onBack: () => !expired.value && !leaving && events.reach() });
/** The box can be reached, as far as is known. */
export const reachable = computed(() => connected.value && !line.silent.value);

/** A box that is off leaves packets unanswered for minutes. */
const PATIENCE_MS = 4_000;

/** Take a session as the answer of setup, registration or sign-in. */
export function begin(answer: Session): void {
  const again = session.value?.user.id === answer.user.id && session.value.box.id === answer.box.id;
  if (session.value && !again) {
    end();
    go("/");
  }
  session.value = answer;
  expired.value = false;
  http.userId = answer.user.id;
  if (again) outbox.value?.post.resume();
  else {
    outbox.value = new Outbox(answer.box.id, answer.user.id);
    void outbox.value.open();
  }
  standing.value = "signed-in";
  events.start();
}

/** Leave: what is unsent stays in the journal until this user signs in again. */
export function end(): void {
  leaving = false;
  http.recalled = null;
  void recall.forget();
  events.stop();
  outbox.value?.close();
  outbox.value = null;
  http.userId = null;
  expired.value = false;
  session.value = null;
  standing.value = "signed-out";
}

/** Ask the box who is signed in, and when nobody is, whether it waits to be claimed. */
export async function loadSession(): Promise<void> {
  try {
    const answer = await Promise.race([account.session(), patience()]);
    trouble.value = null;
    http.recalled = null;
    begin(answer);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) {
      trouble.value = null;
      standing.value = (await account.setupNeeded().catch(() => false)) ? "setup" : "signed-out";
    } else if (error.transient) await away(error);
    else trouble.value = error;
  }
}

const patience = (): Promise<never> => new Promise((_resolve, reject) => setTimeout(() => reject(offline()), PATIENCE_MS));

/** The box is away: the image that was open is there again, anything else waits for the box. */
async function away(problem: Problem): Promise<void> {
  if (standing.value !== "unknown") return;
  const last = trouble.value ? null : await recall.last();
  const bench = benchAt(place.value.path, place.value.query);
  if (last && bench?.projectId === last.projectId && [null, last.imageId].includes(bench.imageId)) openAgain(last);
  else trouble.value = problem;
}

/** Open the image somebody had open when the box went away. */
export function openAgain(last: Recalled): void {
  dropEarly();
  http.recalled = last.answers;
  connected.value = false;
  if (benchAt(place.value.path, place.value.query)?.imageId !== last.imageId)
    go(`/projects/${last.projectId}/annotate?image=${last.imageId}`, "replace");
  begin(last.session);
}

export async function signOut(): Promise<void> {
  leaving = true;
  // The box closes the socket of a session that ends: here that is no news to ask about.
  events.stop();
  outbox.value?.post.close();
  // The page may be closed, or the box be gone, before it answers.
  void recall.forget();
  await account.signOut().catch(() => undefined);
  end();
}

http.onSilence = () => line.failed();
http.onAnswer = () => line.answered();
http.onSignedOut = () => {
  if (standing.value !== "signed-in") return;
  expired.value = true;
  events.pause();
};
events.on("connected", ({ data }) => {
  connected.value = true;
  if (http.recalled) void loadSession();
  // What was read before the box was followed may have changed in between.
  if (data.first) outbox.value?.doubt();
});
events.on("reached", () => outbox.value?.retry());
events.on("*", () => line.answered());
events.on("lost", () => {
  connected.value = false;
  // A socket closed because the session ended looks like a lost line: ask which it was.
  if (session.value) account.session().catch(() => undefined);
});
events.on("session.ended", () => {
  account.session().catch(() => undefined);
});
events.on("annotations.changed", ({ data }) => outbox.value?.hear(Number(data.image_id), Number(data.revision)));
