import type { ToolName } from "../session";
import { BoxTool } from "./box";
import { BrushTool, EraserTool } from "./brush";
import { KeypointsTool } from "./keypoints";
import { PolygonTool } from "./polygon";
import { PolylineTool } from "./polyline";
import { RotatedBoxTool } from "./rotated-box";
import { SegmentTool } from "./segment";
import { SelectTool } from "./select";
import type { Tool, ToolHost } from "./tool";

export const TOOLS: Readonly<Record<ToolName, new (host: ToolHost) => Tool>> = {
  select: SelectTool,
  box: BoxTool,
  rotated_box: RotatedBoxTool,
  polygon: PolygonTool,
  polyline: PolylineTool,
  keypoints: KeypointsTool,
  brush: BrushTool,
  eraser: EraserTool,
  segment: SegmentTool,
};

/** Tools that leave nothing selected when they are taken up; the rest go on with what is selected. */
export const STARTS_AFRESH: ReadonlySet<ToolName> = new Set(["box", "rotated_box", "polyline", "keypoints", "segment"]);
