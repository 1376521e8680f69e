import type { AttributeValue, Geometry } from "../../api/types";
import { check } from "../../geometry";
import type { Point } from "../camera";
import { labelOf } from "./paint";
import type { ToolHost } from "./tool";

const STEP = Math.PI / 12;

/** Where a line ends that may only turn in steps of 15 degrees. */
export function inSteps(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const angle = Math.round(Math.atan2(to.y - from.y, to.x - from.x) / STEP) * STEP;
  return { x: from.x + Math.cos(angle) * length, y: from.y + Math.sin(angle) * length };
}

/** Add what was drawn, with the label of the session and the defaults of its attributes; null when it is no shape. */
export function commit(host: ToolHost, geometry: Geometry): string | null {
  const { width, height } = host.size();
  if (check(geometry, width, height) !== null) return null;
  const defaults = (labelOf(host)?.attributes ?? []).flatMap((spec): [string, AttributeValue][] =>
    spec.default === null ? [] : [[spec.name, spec.default]],
  );
  return host.editor()?.add(geometry, host.session.labelId.value, Object.fromEntries(defaults)) ?? null;
}

/** Pixels of the image that a distance on the screen covers. */
export const imagePx = (host: ToolHost, px: number): number => px / host.session.camera.value.scale;

/** How far a pointer may stray within what is still a click, on the screen. */
export const CLICK_PX = { mouse: 3, pen: 4, touch: 10 };
