import { check, type Polygon } from "../../geometry";
import { ringContains } from "../../geometry/rings";
import type { Point } from "../camera";
import { commit } from "./draw";
import { PathTool } from "./path";
import { flat } from "./reshape";
import type { Press } from "./tool";

interface Draft {
  points: readonly Point[];
  into: string | null;
}

/**
 * A ring of points; its first vertex, Enter or a double click closes it.
 *
 * Begun with Alt or the right button inside a polygon it becomes a hole of that one, and outside
 * of all another part of the selected one.
 */
export class PolygonTool extends PathTool {
  protected readonly closed = true;
  protected readonly least = 3;
  private into: string | null = null;

  protected override begin({ image, alt, secondary }: Press): void {
    const { session } = this.host;
    const under = alt || secondary ? this.polygon(this.host.pick(image, 0)) : null;
    this.into = alt || secondary ? (under ?? this.polygon(session.single)) : null;
    session.select(...(this.into ? [this.into] : []));
  }

  protected complete(points: readonly Point[]): boolean {
    const ring = flat(points);
    const target = this.into === null ? null : this.host.editor()?.document.get(this.into);
    if (target?.geometry.type !== "polygon") return commit(this.host, { type: "polygon", parts: [[ring]] }) !== null;
    const whole = joined(target.geometry, ring);
    const { width, height } = this.host.size();
    if (check(whole, width, height) !== null) return false;
    this.host.editor()?.reshape(target.id, whole);
    return true;
  }

  override keep(): unknown {
    return this.points.length > 0 ? ({ points: this.points, into: this.into } satisfies Draft) : null;
  }

  override resume(draft: unknown): void {
    const { points, into } = draft as Draft;
    this.into = into;
    super.resume(points);
  }

  /** The id when it is that of a polygon which may be changed. */
  private polygon(id: string | null): string | null {
    if (id === null || this.host.session.locked.value.has(id)) return null;
    return this.host.editor()?.document.get(id)?.geometry.type === "polygon" ? id : null;
  }
}

/** The polygon with a ring more: a hole of the part it begins in, else a part of its own. */
export function joined(polygon: Polygon, ring: number[]): Polygon {
  const around = polygon.parts.findIndex(([outer]) => outer !== undefined && ringContains(outer, ring[0]!, ring[1]!));
  if (around < 0) return { type: "polygon", parts: [...polygon.parts, [ring]] };
  return { type: "polygon", parts: polygon.parts.map((part, i) => (i === around ? [...part, ring] : part)) };
}
