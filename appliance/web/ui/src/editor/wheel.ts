const WHEEL_ZOOM = 0.0022;
const PINCH_ZOOM = 0.01;
const LINE_PX = 32;
/** A trackpad scrolls in finer steps than any wheel. */
const TRACKPAD_BELOW_PX = 40;

/** What one event of a wheel does to the view: a zoom by `factor`, or a move where that is 1. */
export interface WheelMove {
  dx: number;
  dy: number;
  factor: number;
}

/** A wheel zooms, a trackpad's scroll pans and its pinch, which comes as a wheel with Ctrl, zooms. */
export function wheelMove(event: Pick<WheelEvent, "deltaX" | "deltaY" | "deltaMode" | "ctrlKey">): WheelMove {
  const pixels = event.deltaMode === 0;
  const trackpad = !event.ctrlKey && pixels && (event.deltaX !== 0 || Math.abs(event.deltaY) < TRACKPAD_BELOW_PX);
  if (trackpad) return { dx: -event.deltaX, dy: -event.deltaY, factor: 1 };
  const steps = event.deltaY * (pixels ? 1 : LINE_PX) * (event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM);
  return { dx: 0, dy: 0, factor: Math.exp(-steps) };
}
