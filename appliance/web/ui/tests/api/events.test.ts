import { describe, expect, it } from "vitest";

import { EventStream, type Socket } from "../../src/api/events";

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;
  readonly address: string;

  constructor(address: string) {
    this.address = address;
  }

  say(event: object): void {
    this.onmessage?.({ data: JSON.stringify(event) });
  }

  close(): void {
    this.closed = true;
    this.onclose?.();
  }
}

function stream() {
  const sockets: FakeSocket[] = [];
  const waiting: { run: () => void; delayMs: number }[] = [];
  const made = new EventStream({
    connect: (address) => {
      const socket = new FakeSocket(address);
      sockets.push(socket);
      return socket;
    },
    later: (run, delayMs) => waiting.push({ run, delayMs }),
  });
  return { made, sockets, waiting };
}

describe("EventStream", () => {
  it("hands events to those who asked for their kind", () => {
    const { made, sockets } = stream();
    const seen: number[] = [];
    const stop = made.on("task.changed", (event) => seen.push(event.seq));
    made.start();
    sockets[0].say({ kind: "hello", seq: 5 });
    sockets[0].say({ kind: "task.changed", seq: 6, project_id: 1, data: {}, at_ms: 0 });
    sockets[0].say({ kind: "job.changed", seq: 7, project_id: 1, data: {}, at_ms: 0 });
    stop();
    sockets[0].say({ kind: "task.changed", seq: 8, project_id: 1, data: {}, at_ms: 0 });
    expect(seen).toEqual([6]);
    expect(made.seq).toBe(8);
  });

  it("takes several events in one message", () => {
    const { made, sockets } = stream();
    const seen: number[] = [];
    made.on("task.changed", (event) => seen.push(event.seq));
    made.start();
    sockets[0].say({ kind: "hello", seq: 5 });
    sockets[0].say([6, 7].map((seq) => ({ kind: "task.changed", seq, project_id: 1, data: {}, at_ms: 0 })));
    expect(seen).toEqual([6, 7]);
    expect(made.seq).toBe(7);
  });

  it("comes back with the last number it saw, waiting longer each time", () => {
    const { made, sockets, waiting } = stream();
    made.start();
    expect(sockets[0].address).toBe("/api/events?together=true");
    sockets[0].say({ kind: "hello", seq: 5 });
    sockets[0].say({ kind: "image.added", seq: 9, project_id: 1, data: {}, at_ms: 0 });
    sockets[0].close();
    waiting[0].run();
    expect(sockets[1].address).toBe("/api/events?together=true&after=9");
    sockets[1].close();
    expect(waiting[1].delayMs).toBe(waiting[0].delayMs * 2);
    waiting[1].run();
    sockets[2].say({ kind: "hello", seq: 12 });
    expect(made.seq).toBe(9);
    sockets[2].close();
    expect(waiting[2].delayMs).toBe(waiting[0].delayMs);
  });

  it("drops what it has seen, but not a resync", () => {
    const { made, sockets } = stream();
    const kinds: string[] = [];
    made.on("*", (event) => kinds.push(event.kind));
    made.start();
    sockets[0].say({ kind: "hello", seq: 5 });
    sockets[0].say({ kind: "image.added", seq: 5, project_id: 1, data: {}, at_ms: 0 });
    sockets[0].say({ kind: "resync", seq: 5 });
    expect(kinds).toEqual(["resync"]);
  });

  it("stays closed and starts anew after stop", () => {
    const { made, sockets, waiting } = stream();
    made.start();
    sockets[0].say({ kind: "hello", seq: 5 });
    made.stop();
    expect(sockets[0].closed).toBe(true);
    expect(waiting).toEqual([]);
    made.start();
    expect(sockets[1].address).toBe("/api/events?together=true");
  });

  it("connects at once and has everybody ask again when the box answers", () => {
    const { made, sockets, waiting } = stream();
    let reached = 0;
    made.on("reached", () => reached++);
    made.start();
    sockets[0].say({ kind: "hello", seq: 5 });
    expect(reached).toBe(1);
    sockets[0].close();
    expect(waiting).toHaveLength(1);
    made.reach();
    expect(reached).toBe(2);
    expect(sockets.map(({ address }) => address)).toEqual(["/api/events?together=true", "/api/events?together=true&after=5"]);
    waiting[0].run();
    made.reach();
    expect(sockets).toHaveLength(2);
  });
});
