import type { Size } from "../camera";
import type { Bounds } from "../shape";
import type { Shape } from "./shapes";

export interface Wanted {
  id: string;
  width: number;
  /** Bounds of the shape on the screen. */
  box: Bounds;
  /** Placed even where it covers something. */
  must: boolean;
}

export interface Placed {
  id: string;
  x: number;
  y: number;
  width: number;
}

export const PLATE_HEIGHT = 16;
export const NAMES_UP_TO = 40;
const FONT = '400 12px "Inter Variable", system-ui, sans-serif';
const FONT_SELECTED = '600 12px "Inter Variable", system-ui, sans-serif';
const SMALL = 28;
const GAP = 2;

const overlap = (a: Bounds, b: Bounds): boolean => a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2;

/** Where a name may stand: above its shape, below, inside at the top, above at the right end. */
function candidates({ box, width }: Wanted): [number, number][] {
  const above = box.y1 - PLATE_HEIGHT - GAP;
  return [
    [box.x1 - 1, above],
    [box.x1 - 1, box.y2 + GAP],
    [box.x2 - width + 1, above],
    [box.x2 - width + 1, box.y2 + GAP],
    [box.x1 + GAP, box.y1 + GAP],
  ];
}

/**
 * Place names greedily in the order given.
 *
 * No name covers another one or a small shape, and none leaves the view; one without room is
 * left out and waits for hover. A name that must stand takes its first place inside the view.
 */
export function placePlates(wanted: readonly Wanted[], view: Bounds): Placed[] {
  const small = wanted.filter(({ box }) => box.x2 - box.x1 < SMALL && box.y2 - box.y1 < SMALL);
  const placed: Placed[] = [];
  for (const plate of wanted) {
    const spots = candidates(plate).map(([x, y]) => ({ x1: x, y1: y, x2: x + plate.width, y2: y + PLATE_HEIGHT }));
    const within = spots.filter((s) => s.x1 >= view.x1 && s.y1 >= view.y1 && s.x2 <= view.x2 && s.y2 <= view.y2);
    const free = within.find(
      (spot) =>
        !placed.some((other) => overlap(spot, rectangle(other))) &&
        !small.some((other) => other.id !== plate.id && overlap(spot, other.box)),
    );
    const spot = free ?? (plate.must ? (within[0] ?? spots[4]) : undefined);
    if (spot) placed.push({ id: plate.id, x: Math.round(spot.x1), y: Math.round(spot.y1), width: plate.width });
  }
  return placed;
}

function rectangle(plate: Placed): Bounds {
  return { x1: plate.x, y1: plate.y, x2: plate.x + plate.width, y2: plate.y + PLATE_HEIGHT };
}

/** How wide a name stands on the screen. */
export function plateWidth(context: CanvasRenderingContext2D, name: string, selected: boolean): number {
  context.font = selected ? FONT_SELECTED : FONT;
  return Math.ceil(context.measureText(name).width) + 12;
}

/** Draw names beside shapes, those that are `special` first. */
export function drawPlates(
  context: CanvasRenderingContext2D,
  shapes: readonly { shape: Shape; box: Bounds }[],
  view: Size,
  selected: (shape: Shape) => boolean,
  special: (shape: Shape) => boolean,
): void {
  const named = [...shapes].sort((a, b) => Number(special(b.shape)) - Number(special(a.shape)));
  const wanted: Wanted[] = named.map(({ shape, box }) => {
    return { id: shape.annotation.id, box, width: plateWidth(context, shape.name, selected(shape)), must: special(shape) };
  });
  const byId = new Map(named.map(({ shape }) => [shape.annotation.id, shape]));
  for (const plate of placePlates(wanted, { x1: 0, y1: 0, x2: view.width, y2: view.height })) {
    const shape = byId.get(plate.id);
    if (shape) drawPlate(context, shape, plate, selected(shape));
  }
}

function drawPlate(context: CanvasRenderingContext2D, shape: Shape, { x, y, width }: Placed, selected: boolean): void {
  context.fillStyle = selected ? "#fff" : "rgb(0 0 0 / 78%)";
  context.fillRect(x, y, width, PLATE_HEIGHT);
  context.fillStyle = shape.color;
  const step = shape.state === "prediction" ? 4 : PLATE_HEIGHT;
  for (let dy = 0; dy < PLATE_HEIGHT; dy += step * 1.5) {
    context.fillRect(x, y + dy, 3, Math.min(step, PLATE_HEIGHT - dy));
  }
  context.font = selected ? FONT_SELECTED : FONT;
  context.fillStyle = selected ? "#000" : "#e6eaf0";
  context.textBaseline = "middle";
  context.fillText(shape.name, x + 7, y + PLATE_HEIGHT / 2 + 1);
}
