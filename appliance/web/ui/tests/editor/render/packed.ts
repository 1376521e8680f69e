import { CLOSED, FILLED, orderOf, type Packed, SHOWN } from "../../../src/editor/render/store";

/** A filled polygon as the store takes it. */
export function packed(slot: number, points: number[], more: Partial<Packed> = {}): Packed {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  return {
    slot,
    block: new Float32Array([CLOSED, points.length / 2, ...points]),
    box: { x1: Math.min(...xs), y1: Math.min(...ys), x2: Math.max(...xs), y2: Math.max(...ys) },
    color: 0xffe600,
    flags: SHOWN | FILLED,
    order: orderOf(2, slot + 1),
    code: "",
    mask: null,
    ...more,
  };
}
