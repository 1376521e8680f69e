import type { ServerEvent } from "./types";

/** The part of a WebSocket that the stream needs; tests bring their own. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: (() => void) | null;
  close(): void;
}

interface Options {
  connect?: (address: string) => Socket;
  later?: (run: () => void, delayMs: number) => void;
}

export type EventHandler = (event: ServerEvent) => void;

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

/**
 * Follow the event log of the box and miss nothing: every reconnect names the last number seen.
 *
 * `"resync"` reaches handlers of that kind when the box no longer holds what was missed;
 * `"connected"` and `"lost"` tell of the connection itself; `first` when nothing was followed before.
 * `"reached"` says that what the box did not answer may be asked again.
 */
export class EventStream {
  private readonly handlers = new Map<string, Set<EventHandler>>();
  private readonly connect: (address: string) => Socket;
  private readonly later: (run: () => void, delayMs: number) => void;
  private socket: Socket | null = null;
  private wanted = false;
  private delayMs = FIRST_DELAY_MS;
  private lastSeq: number | null = null;

  constructor(options: Options = {}) {
    this.connect = options.connect ?? openSocket;
    this.later = options.later ?? ((run, delayMs) => void setTimeout(run, delayMs));
  }

  get seq(): number | null {
    return this.lastSeq;
  }

  /** Call `handler` for each event of `kind` (`"*"` for all) until the returned function is called. */
  on(kind: string, handler: EventHandler): () => void {
    const set = this.handlers.get(kind) ?? new Set();
    set.add(handler);
    this.handlers.set(kind, set);
    return () => void set.delete(handler);
  }

  start(): void {
    this.wanted = true;
    if (!this.socket) this.open();
  }

  /** Close the connection and forget the position, as after signing out. */
  stop(): void {
    this.wanted = false;
    this.lastSeq = null;
    this.socket?.close();
    this.socket = null;
  }

  /** Close the connection and keep the position: `start` goes on where it was. */
  pause(): void {
    const seq = this.lastSeq;
    this.stop();
    this.lastSeq = seq;
  }

  /** The box answers: connect at once where that waits, and have everybody ask again. */
  reach(): void {
    if (this.wanted && !this.socket) this.open();
    this.tell("reached", {});
  }

  private open(): void {
    const after = this.lastSeq === null ? "" : `&after=${this.lastSeq}`;
    const socket = this.connect(`/api/events?together=true${after}`);
    this.socket = socket;
    socket.onmessage = (message) => {
      const told = JSON.parse(message.data) as ServerEvent | ServerEvent[];
      for (const event of Array.isArray(told) ? told : [told]) this.take(event);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (!this.wanted) return;
      this.tell("lost", {});
      const delayMs = this.delayMs;
      this.delayMs = Math.min(LONGEST_DELAY_MS, delayMs * 2);
      this.later(() => {
        if (this.wanted && !this.socket) this.open();
      }, delayMs);
    };
  }

  private take(event: ServerEvent): void {
    if (event.kind === "hello") {
      this.delayMs = FIRST_DELAY_MS;
      const first = this.lastSeq === null;
      this.lastSeq ??= event.seq;
      this.tell("connected", { first });
      this.tell("reached", {});
      return;
    }
    if (this.lastSeq !== null && event.seq <= this.lastSeq && event.kind !== "resync") return;
    this.lastSeq = event.seq;
    this.emit(event.kind, event);
    this.emit("*", event);
  }

  private tell(kind: string, data: ServerEvent["data"]): void {
    this.emit(kind, { seq: this.lastSeq ?? 0, kind, project_id: null, data, at_ms: Date.now() });
  }

  private emit(kind: string, event: ServerEvent): void {
    for (const handler of [...(this.handlers.get(kind) ?? [])]) handler(event);
  }
}

function openSocket(address: string): Socket {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(`${scheme}//${location.host}${address}`) as Socket;
}
