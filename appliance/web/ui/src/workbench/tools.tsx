import { type ActionId, ACTIONS } from "../app/keymap";
import { hint } from "../app/keys";
import type { ToolName } from "../editor/session";
import { TOOLS } from "../editor/tools";
import { IconButton } from "../parts/controls";
import type { IconName } from "../parts/icon";
import { pickTool, toggleHidden } from "./actions";
import type { Bench } from "./bench";
import { Display } from "./display";

const GROUPS: readonly (readonly (ActionId & IconName)[])[] = [
  ["select", "box", "polygon", "rotated_box"],
  ["segment"],
  ["brush", "eraser"],
  ["keypoints", "polyline"],
];

const has = (name: string): name is ToolName => name in TOOLS;
const title = (id: ActionId): string => ACTIONS[id].words[0].toUpperCase() + ACTIONS[id].words.slice(1);

/** What draws, and how the picture is looked at. */
export function Tools({ bench }: { bench: Bench }) {
  const { session } = bench;
  const editable = bench.editor !== null;
  return (
    <div class="tools" role="toolbar" aria-label="Tools" aria-orientation="vertical" onKeyDown={walk}>
      {GROUPS.map((group) => {
        const names = group.filter(has);
        return (
          names.length > 0 && (
            <div key={group[0]} class="tool-group">
              {names.map((name) => (
                <IconButton
                  key={name}
                  icon={name}
                  label={title(name)}
                  hint={hint(name)}
                  disabled={!editable && name !== "select"}
                  aria-pressed={session.tool.value === name}
                  onClick={() => pickTool(bench, name)}
                />
              ))}
            </div>
          )
        );
      })}
      <span class="space" />
      <Display bench={bench} />
      <IconButton icon="fit" label="Fit" hint={hint("fit")} onClick={() => bench.stage?.fit()} />
      <IconButton
        icon={session.hiddenAll.value ? "hidden" : "eye"}
        label={session.hiddenAll.value ? "Show objects" : "Hide objects"}
        hint={hint("hide")}
        onClick={() => {
          session.select();
          toggleHidden(bench);
        }}
      />
    </div>
  );
}

/** The arrow keys walk along the toolbar. */
function walk(event: KeyboardEvent): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || !(event.currentTarget instanceof HTMLElement)) return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>("button:not(:disabled)")];
  const at = all.findIndex((one) => one === document.activeElement);
  if (at === -1) return;
  all[(at + by + all.length) % all.length]?.focus();
  event.preventDefault();
  event.stopPropagation();
}
