import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Camera } from "../../src/editor/camera";
import { Gestures } from "../../src/editor/gestures";
import type { Press, Tool } from "../../src/editor/tools/tool";
import { wheelMove } from "../../src/editor/wheel";

const SIZE = { width: 800, height: 600 };

type Fields = Partial<PointerEvent> & { deltaX?: number; deltaY?: number; deltaMode?: number; code?: string };

function event(type: string, fields: Fields): Event {
  return Object.assign(new Event(type, { cancelable: true }), fields);
}

/** A stage of 800 × 600 without a page, and a tool that writes down what it is told. */
class Rig {
  camera: Camera = { x: 0, y: 0, scale: 1 };
  fingers = true;
  takes = true;
  readonly told: string[] = [];
  readonly presses: Press[] = [];
  readonly taps: Press[] = [];
  readonly host: EventTarget & { style: { cursor: string } };
  readonly keys = new EventTarget();
  readonly gestures: Gestures;
  private ms = 1000;

  constructor(traces = false) {
    this.host = Object.assign(new EventTarget(), {
      style: { cursor: "" }, setPointerCapture: () => undefined, getBoundingClientRect: () => ({ left: 0, top: 0 }),
    });
    const tell = (word: string) => (press: Press) => {
      this.told.push(`${word}${press.secondary ? "-" : ""}${press.count === 2 ? "²" : ""}`);
      this.presses.push(press);
    };
    const tool: Tool = {
      guides: false, traces, cursor: () => null, move: tell("move"), up: tell("up"),
      down: (press) => (tell("down")(press), this.takes),
      cancel: () => void this.told.push("cancel"),
    };
    this.gestures = new Gestures(this.host as unknown as HTMLElement, {
      picture: () => SIZE, view: () => SIZE, camera: () => this.camera, look: (camera) => (this.camera = camera), tool: () => tool,
      fingersDraw: () => this.fingers, penned: () => (this.fingers = false), tap: (press) => this.taps.push(press),
      hover: () => undefined, invalidate: () => undefined,
    }, this.keys);
  }

  send(type: "down" | "move" | "up" | "cancel", x: number, y: number, more: Fields = {}, later = 20): void {
    this.ms += later;
    const fields = { pointerId: 1, pointerType: "mouse", button: 0, width: 1, height: 1, pressure: 0.5, clientX: x, clientY: y, ...more };
    const sent = event(`pointer${type}`, fields);
    Object.defineProperty(sent, "timeStamp", { value: this.ms });
    this.host.dispatchEvent(sent);
  }

  finger(type: "down" | "move" | "up", id: number, x: number, y: number, more: Fields = {}, later = 20): void {
    this.send(type, x, y, { pointerId: id, pointerType: "touch", width: 20, height: 20, ...more }, later);
  }

  pen(type: "down" | "move" | "up", x: number, y: number, more: Fields = {}, later = 20): void {
    this.send(type, x, y, { pointerId: 50, pointerType: "pen", ...more }, later);
  }
}

let rig: Rig;
beforeEach(() => {
  vi.useFakeTimers();
  rig = new Rig();
});
afterEach(() => {
  rig.gestures.destroy();
  vi.useRealTimers();
});

describe("mouse", () => {
  it("gives a press to the tool, in pixels of the image", () => {
    rig.camera = { x: 100, y: 50, scale: 2 };
    rig.send("down", 300, 250);
    rig.send("move", 310, 250);
    rig.send("up", 310, 250);
    expect(rig.told).toEqual(["down", "move", "up"]);
    expect(rig.presses[0]).toMatchObject({ image: { x: 100, y: 100 }, at: { x: 300, y: 250 }, kind: "mouse" });
    expect(rig.camera).toEqual({ x: 100, y: 50, scale: 2 });
  });

  it("pans where the tool takes nothing, without losing the first pixels, and taps without a drag", () => {
    rig.takes = false;
    rig.send("down", 300, 200);
    rig.send("move", 302, 200);
    expect(rig.camera.x).toBe(0);
    rig.send("move", 350, 210);
    rig.send("up", 350, 210);
    expect(rig.camera).toMatchObject({ x: 50, y: 10 });
    rig.send("down", 300, 200, {}, 900);
    rig.send("up", 301, 200);
    expect(rig.taps).toHaveLength(1);
  });

  it("pans with the middle button and with Space held", () => {
    rig.send("down", 300, 200, { button: 1 });
    rig.send("move", 340, 200, { button: 1 });
    rig.send("up", 340, 200, { button: 1 });
    rig.keys.dispatchEvent(event("keydown", { code: "Space" }));
    expect(rig.host.style.cursor).toBe("grab");
    rig.send("down", 300, 200);
    rig.send("move", 330, 200);
    rig.send("up", 330, 200);
    rig.keys.dispatchEvent(event("keyup", { code: "Space" }));
    expect(rig.camera.x).toBe(70);
    expect(rig.told).toEqual([]);
    expect(rig.taps).toEqual([]);
  });

  it("makes the right button, and the press after − click, a secondary one", () => {
    rig.send("down", 10, 10, { button: 2 });
    rig.send("up", 10, 10, { button: 2 });
    expect(rig.gestures.minusNext()).toBe(true);
    rig.send("down", 90, 10, {}, 900);
    rig.send("up", 90, 10);
    rig.send("down", 200, 10, {}, 900);
    expect(rig.told).toEqual(["down-", "up-", "down-", "up-", "down"]);
  });

  it("counts two quick presses at one place", () => {
    for (const x of [10, 12, 12, 80]) {
      rig.send("down", x, 10);
      rig.send("up", x, 10);
    }
    expect(rig.told.filter((word) => word.startsWith("down"))).toEqual(["down", "down²", "down", "down"]);
  });

  it("gives every coalesced move to a tool that traces", () => {
    const tracing = new Rig(true);
    tracing.send("down", 10, 10);
    const parts = [11, 12, 13].map((x) => event("pointermove", { pointerType: "mouse", clientX: x, clientY: 10, pressure: 0.5 }));
    tracing.send("move", 13, 10, { getCoalescedEvents: () => parts as PointerEvent[] });
    expect(tracing.presses.map((press) => press.at.x)).toEqual([10, 11, 12, 13]);
    tracing.gestures.destroy();
  });

  it("lets go of a press that is taken back", () => {
    rig.send("down", 10, 10);
    rig.gestures.release();
    rig.send("move", 200, 10);
    rig.send("up", 200, 10);
    expect(rig.told).toEqual(["down", "cancel", "move"]);
    expect(rig.camera.x).toBe(0);
  });
});

describe("fingers", () => {
  it("pinch: the second takes back what the first began", () => {
    rig.finger("down", 1, 300, 300);
    rig.finger("down", 2, 500, 300);
    rig.finger("move", 2, 700, 300);
    expect(rig.told).toEqual(["down", "cancel"]);
    expect(rig.camera.scale).toBeCloseTo(2);
    rig.finger("up", 2, 700, 300);
    rig.finger("move", 1, 320, 300);
    rig.finger("up", 1, 320, 300);
    expect(rig.told).toEqual(["down", "cancel"]);
    expect(rig.taps).toEqual([]);
  });

  it("do not disturb a stroke that has been going on", () => {
    rig.finger("down", 1, 300, 300);
    rig.finger("move", 1, 340, 300);
    rig.finger("down", 2, 500, 300, {}, 600);
    rig.finger("move", 2, 600, 300);
    rig.finger("move", 1, 360, 300);
    rig.finger("up", 2, 600, 300);
    rig.finger("up", 1, 360, 300);
    expect(rig.told).toEqual(["down", "move", "move", "up"]);
    expect(rig.camera.scale).toBe(1);
  });

  it("held still press with the right button", () => {
    rig.finger("down", 1, 300, 300);
    vi.advanceTimersByTime(600);
    rig.finger("up", 1, 301, 300, {}, 600);
    expect(rig.told).toEqual(["down", "cancel", "down-", "up-"]);
  });

  it("that move are no long press", () => {
    rig.finger("down", 1, 300, 300);
    rig.finger("move", 1, 330, 300);
    vi.advanceTimersByTime(600);
    expect(rig.told).toEqual(["down", "move"]);
  });

  it("tap twice to finish", () => {
    for (let i = 0; i < 2; i++) {
      rig.finger("down", 1, 300 + i * 15, 300);
      rig.finger("up", 1, 300 + i * 15, 300);
    }
    expect(rig.told).toEqual(["down", "up", "down²", "up²"]);
  });
});

describe("pen", () => {
  it("draws, and from then on fingers only move the picture", () => {
    rig.pen("down", 100, 100, { pressure: 0.8 });
    rig.pen("move", 120, 100, { pressure: 0.9 });
    rig.pen("up", 120, 100);
    expect(rig.presses.map((press) => press.pressure)).toEqual([0.8, 0.9, 0.5]);
    rig.finger("down", 1, 300, 300, {}, 2000);
    rig.finger("move", 1, 340, 300);
    rig.finger("up", 1, 340, 300);
    expect(rig.told).toEqual(["down", "move", "up"]);
    expect(rig.camera.x).toBe(40);
  });

  it("makes a hand of every touch while it is near, and for a second after", () => {
    rig.pen("move", 100, 100);
    rig.finger("down", 1, 300, 300);
    rig.pen("down", 100, 100);
    rig.finger("down", 2, 400, 300, {}, 3000);
    rig.finger("move", 2, 450, 300);
    rig.pen("move", 130, 100);
    rig.pen("up", 130, 100);
    rig.finger("down", 3, 400, 300, {}, 900);
    rig.finger("move", 3, 450, 300);
    expect(rig.told).toEqual(["move", "down", "move", "up"]);
    expect(rig.camera).toEqual({ x: 0, y: 0, scale: 1 });
  });

  it("takes over from a palm that came first, and a large touch is a palm anyway", () => {
    rig.finger("down", 1, 300, 300);
    rig.pen("down", 100, 100);
    rig.pen("move", 130, 100);
    rig.pen("up", 130, 100);
    rig.finger("up", 1, 300, 300);
    expect(rig.told).toEqual(["down", "cancel", "down", "move", "up"]);
    rig.finger("down", 4, 300, 300, { width: 90 }, 5000);
    rig.finger("move", 4, 380, 300, { width: 90 });
    expect(rig.camera.x).toBe(0);
  });
});

describe("wheel", () => {
  it("zooms at the pointer; a trackpad pans, and pinches with Ctrl", () => {
    rig.host.dispatchEvent(event("wheel", { deltaX: 0, deltaY: -300, deltaMode: 0, clientX: 400, clientY: 300 }));
    expect(rig.camera.scale).toBeGreaterThan(1.5);
    expect(400).toBeCloseTo(rig.camera.x + 400 * rig.camera.scale);
    expect(wheelMove({ deltaX: 3, deltaY: 7, deltaMode: 0, ctrlKey: false })).toEqual({ dx: -3, dy: -7, factor: 1 });
    expect(wheelMove({ deltaX: 0, deltaY: -7, deltaMode: 0, ctrlKey: true }).factor).toBeGreaterThan(1);
    expect(wheelMove({ deltaX: 0, deltaY: 3, deltaMode: 1, ctrlKey: false }).factor).toBeLessThan(1);
  });
});
