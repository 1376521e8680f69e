/**
 * Keep the console's own files in the browser, so that it loads while the box is away.
 *
 * It holds what the build wrote and nothing of anybody's: the page, its chunks and its fonts, under
 * the name of the build. The page comes from the box whenever that answers, so a new build is there
 * at the next load; its chunks are named by their content, so what is kept of them is always right.
 */

/** What the build put in front of this file. */
declare const SHELL: { version: string; files: readonly string[] };

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Asked extends Lasting {
  readonly request: Request;
  readonly preloadResponse: Promise<Response | undefined>;
  respondWith(answer: Promise<Response>): void;
}

interface Scope {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: "install" | "activate", act: (event: Lasting) => void): void;
  addEventListener(kind: "fetch", act: (event: Asked) => void): void;
}

const scope = self as unknown as Scope;
const PREFIX = "shell-";
const NAME = PREFIX + SHELL.version;
/** A box that is off leaves packets unanswered for minutes. */
const PATIENCE_MS = 3_000;
/** What the box answers itself: its API, explanations of problems, and files by name. */
const OF_THE_BOX = /^\/(api|problems)(\/|$)|\.[^/]*$/;

scope.addEventListener("install", (event) => event.waitUntil(keep()));
scope.addEventListener("activate", (event) => event.waitUntil(takeOver()));
scope.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith("/assets/")) event.respondWith(chunk(event.request));
  else if (event.request.mode === "navigate" && !OF_THE_BOX.test(pathname)) event.respondWith(page(event));
});

async function keep(): Promise<void> {
  const cache = await caches.open(NAME);
  await cache.add(new Request("/", { cache: "reload" }));
  await cache.addAll(SHELL.files.map((file) => `/${file}`));
  await scope.skipWaiting();
}

/** Pages of the build before are still open and load chunks of theirs: that one stays, older ones go. */
async function takeOver(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
  await scope.registration.navigationPreload?.enable();
  await scope.clients.claim();
}

async function chunk(request: Request): Promise<Response> {
  return (await caches.match(request.url, { ignoreVary: true })) ?? fetch(request);
}

async function page(event: Asked): Promise<Response> {
  const fresh = event.preloadResponse.then((early) => early ?? fetch(event.request));
  const settled = fresh.catch(() => null);
  event.waitUntil(settled);
  const answer = await Promise.race([settled, patience()]);
  if (answer && answer.status < 500) return answer;
  const kept = await (await caches.open(NAME)).match("/", { ignoreVary: true });
  return kept ?? fresh;
}

function patience(): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
}
