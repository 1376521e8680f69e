import type { Point } from "./camera";

const PALM_PX = 60;
/** A pen that is near, or was this long ago, makes every touch a resting hand. */
const PEN_NEAR_MS = 1000;
const DOUBLE_MS = 350;
const DOUBLE_PX = { mouse: 5, pen: 8, touch: 24 };

type Event = Pick<PointerEvent, "pointerId" | "pointerType" | "timeStamp" | "width" | "height">;

/** The pointers that are down, without palms: a resting hand is not a finger. */
export class Contacts {
  /** 2 at the second of two quick presses at one place, else 1. */
  count = 1;
  private readonly places = new Map<number, Point>();
  private readonly slack = new Map<number, Point>();
  private readonly palms = new Set<number>();
  private readonly pens = new Set<number>();
  private penSeen = -Infinity;
  private last: { at: Point; ms: number; kind: string } | null = null;

  get size(): number {
    return this.places.size;
  }

  /** Take a pointer that comes down; false for a palm. */
  down(event: Event, at: Point): boolean {
    if (this.isPalm(event)) {
      this.palms.add(event.pointerId);
      return false;
    }
    if (event.pointerType === "pen") {
      this.pens.add(event.pointerId);
      this.penSeen = event.timeStamp;
    }
    if (this.places.size === 0) this.counted(event, at);
    this.places.set(event.pointerId, at);
    this.slack.set(event.pointerId, at);
    return true;
  }

  /** Where the pointer was before this move; null for one that hovers. */
  move(event: Event, at: Point): Point | "palm" | null {
    if (this.palms.has(event.pointerId)) return "palm";
    if (event.pointerType === "pen") this.penSeen = event.timeStamp;
    const before = this.places.get(event.pointerId);
    if (!before) return this.isPalm(event) ? "palm" : null;
    this.places.set(event.pointerId, at);
    return before;
  }

  /** Forget a pointer; false when it was none of these. */
  lift(id: number): boolean {
    this.palms.delete(id);
    this.pens.delete(id);
    this.slack.delete(id);
    return this.places.delete(id);
  }

  /** A pen came down: the fingers that were there are a hand. */
  keepOnly(id: number): void {
    for (const other of [...this.places.keys()]) {
      if (other === id) continue;
      this.lift(other);
      this.palms.add(other);
    }
  }

  other(id: number): Point | null {
    for (const [key, place] of this.places) if (key !== id) return place;
    return null;
  }

  /** Where a pointer came down, once: the first drag makes up for the moves that were too small to be one. */
  takeSlack(id: number): Point | null {
    const from = this.slack.get(id) ?? null;
    this.slack.delete(id);
    return from;
  }

  private isPalm(event: Event): boolean {
    if (event.pointerType !== "touch") return false;
    return this.pens.size > 0 || event.timeStamp - this.penSeen < PEN_NEAR_MS || Math.max(event.width, event.height) > PALM_PX;
  }

  private counted({ timeStamp: ms, pointerType: kind }: Event, at: Point): void {
    const { last } = this;
    const reach = DOUBLE_PX[kind as keyof typeof DOUBLE_PX] ?? DOUBLE_PX.mouse;
    const again = last?.kind === kind && ms - last.ms < DOUBLE_MS && Math.hypot(at.x - last.at.x, at.y - last.at.y) <= reach;
    this.count = again && this.count === 1 ? 2 : 1;
    this.last = { at, ms, kind };
  }
}
