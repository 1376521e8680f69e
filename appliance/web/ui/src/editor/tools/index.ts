import type { ToolName } from "../session";
import { BoxTool } from "./box";
import { SelectTool } from "./select";
import type { Tool, ToolHost } from "./tool";

export const TOOLS: Readonly<Record<ToolName, new (host: ToolHost) => Tool>> = {
  select: SelectTool,
  box: BoxTool,
};
