import type { Point } from "../camera";
import { commit } from "./draw";
import { PathTool } from "./path";
import { flat } from "./reshape";

/** A line of points; Enter or a double click ends it. */
export class PolylineTool extends PathTool {
  protected readonly closed = false;
  protected readonly least = 2;

  protected complete(points: readonly Point[]): boolean {
    return commit(this.host, { type: "polyline", points: flat(points) }) !== null;
  }
}
