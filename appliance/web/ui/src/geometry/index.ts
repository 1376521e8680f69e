/**
 * All variants by their type. One file = one variant: whatever module in this folder exports
 * a `variant` is one.
 */

import type { Bounds, Fault, Geometry, Variant } from "./types";

export type * from "./types";

type Module = { variant?: Variant<Geometry> };

const modules = import.meta.glob<Module>(["./*.ts", "!./index.ts", "!./validity.ts", "!./*.test.ts"], { eager: true });

export const GEOMETRIES: ReadonlyMap<string, Variant<Geometry>> = new Map(
  Object.values(modules).flatMap(({ variant }) => (variant === undefined ? [] : [[variant.type, variant]])),
);

/** The variant of a shape; throws on a type this build does not know. */
export function variantOf(shape: Geometry): Variant<Geometry> {
  const variant = GEOMETRIES.get(shape.type);
  if (variant === undefined) throw new Error(`unknown geometry ${shape.type}`);
  return variant;
}

export const check = (shape: Geometry, width: number, height: number): Fault | null =>
  variantOf(shape).check(shape, width, height);

export const bounds = (shape: Geometry): Bounds => variantOf(shape).bounds(shape);

export const area = (shape: Geometry): number => variantOf(shape).area(shape);

export const clipped = (shape: Geometry, width: number, height: number): Geometry | null =>
  variantOf(shape).clipped(shape, width, height);

export const transformed = (shape: Geometry, scaleX: number, scaleY: number, dx: number, dy: number): Geometry =>
  variantOf(shape).transformed(shape, scaleX, scaleY, dx, dy);

export const contains = (shape: Geometry, x: number, y: number): boolean => variantOf(shape).contains(shape, x, y);
