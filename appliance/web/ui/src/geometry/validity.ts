import { firstCrossing } from "./crossings";
import { check } from "./index";
import type { Fault, Geometry } from "./types";

/**
 * The first thing that keeps a shape out of ground truth, or null; `appliance/geometry/validity.py`
 * says the same. What `check` refuses can never be saved, a polygon that crosses itself can.
 */
export function faultOf(shape: Geometry, width: number, height: number): Fault | null {
  const fault = check(shape, width, height);
  if (fault !== null || shape.type !== "polygon") return fault;
  for (const part of shape.parts) {
    const at = firstCrossing(part);
    if (at) return { code: "self-crossing", words: `the outline crosses itself near (${at[0]}, ${at[1]})` };
  }
  return null;
}
