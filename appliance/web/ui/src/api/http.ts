import { offline, Problem, readProblem } from "./problem";

export type Query = Record<string, string | number | boolean | null | undefined>;
type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Sent<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** An earlier answer serves when the box gives none within this time. */
const PATIENCE_MS = 3_000;
/** An answer nobody took for so long may have changed. */
const EARLY_MS = 5_000;

type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** `path?a=1`, leaving out what is null, undefined or empty. */
export function address(path: string, query: Query = {}): string {
  const pairs = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") pairs.set(key, String(value));
  }
  const text = pairs.toString();
  return text ? `${path}?${text}` : path;
}

/** Speak JSON with the box on the same origin; every refusal becomes a `Problem`. */
export class Http {
  /** Called when the box says that nobody is signed in. */
  onSignedOut: () => void = () => undefined;
  /** Called when a request gets no answer, or one that the box is not able to give any. */
  onSilence: () => void = () => undefined;
  onAnswer: () => void = () => undefined;
  /** Whom this page works for: the box refuses it when somebody else signed in in another tab. */
  userId: number | null = null;
  /** Answers of earlier, by address, for as long as the box gives none. */
  recalled: ReadonlyMap<string, unknown> | null = null;
  private readonly fetch: Fetch;
  private readonly asked = new Map<string, { answer: Promise<Sent<unknown> | null>; until: number }>();

  constructor(fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {
    this.fetch = fetch;
  }

  async send<T>(
    method: Method,
    path: string,
    options: { query?: Query; json?: unknown; bytes?: Blob; signal?: AbortSignal; keepalive?: boolean } = {},
  ): Promise<Sent<T>> {
    // No more than that: what the page's own headers made the browser ask for is not taken with others.
    const headers: Record<string, string> = {};
    if (this.userId !== null) headers["X-PixelQueue-User"] = String(this.userId);
    let body: BodyInit | undefined;
    if (options.bytes) {
      headers["Content-Type"] = "application/octet-stream";
      body = options.bytes;
    } else if (options.json !== undefined) {
      headers["Content-Type"] = "application/json";
      body = JSON.stringify(options.json);
    }
    const response = await this.ask(address(path, options.query), {
      method,
      headers,
      body,
      signal: options.signal,
      keepalive: options.keepalive,
      credentials: "same-origin",
    });
    const text = await response.text();
    if (!response.ok) throw this.refused(response, text);
    return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : null) as T };
  }

  async get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
    const at = address(path, query);
    try {
      return (((await this.early(at)) ?? (await this.send("GET", path, { query, signal: signal ?? this.patience(at) }))) as Sent<T>).body;
    } catch (error) {
      if (!(error instanceof Problem) || !error.transient || !this.recalled?.has(at)) throw error;
      return structuredClone(this.recalled.get(at)) as T;
    }
  }

  /** Ask before it is known who will need it: the next `get` of this address takes the answer, if it is a good one. */
  ahead(path: string): void {
    const answer = this.send<unknown>("GET", path).catch(() => null);
    this.asked.set(path, { answer, until: performance.now() + EARLY_MS });
  }

  private patience(path: string): AbortSignal | undefined {
    return this.recalled?.has(path) ? AbortSignal.timeout(PATIENCE_MS) : undefined;
  }

  private early(path: string): Promise<Sent<unknown> | null> | null {
    const one = this.asked.get(path);
    this.asked.delete(path);
    return one && performance.now() < one.until ? one.answer : null;
  }

  /** Bytes instead of JSON. */
  async bytes(path: string, query?: Query): Promise<ArrayBuffer> {
    const headers: Record<string, string> = this.userId === null ? {} : { "X-PixelQueue-User": String(this.userId) };
    const response = await this.ask(address(path, query), { headers, credentials: "same-origin" });
    if (!response.ok) throw this.refused(response, await response.text());
    return response.arrayBuffer();
  }

  async post<T>(path: string, json?: unknown, query?: Query): Promise<T> {
    return (await this.send<T>("POST", path, { json, query })).body;
  }

  async patch<T>(path: string, json: unknown): Promise<T> {
    return (await this.send<T>("PATCH", path, { json })).body;
  }

  async put<T>(path: string, json: unknown): Promise<T> {
    return (await this.send<T>("PUT", path, { json })).body;
  }

  async delete(path: string, query?: Query): Promise<void> {
    await this.send<null>("DELETE", path, { query });
  }

  private refused(response: Response, text: string): Problem {
    const problem = readProblem(response.status, text, response.headers.get("Retry-After"));
    if (problem.code === "not-signed-in") this.onSignedOut();
    if (problem.status >= 502) this.onSilence();
    return problem;
  }

  private async ask(path: string, init: RequestInit): Promise<Response> {
    try {
      const response = await this.fetch(path, init);
      this.onAnswer();
      return response;
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      this.onSilence();
      throw offline();
    }
  }
}
