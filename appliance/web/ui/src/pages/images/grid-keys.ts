import { useLayoutEffect } from "preact/hooks";

import { dispatch, type Keymap } from "../../app/keys";
import type { BulkDialog } from "./bulk";
import type { GridView } from "./grid-view";
import type { Picking } from "./picking";

interface Acts {
  open: (index: number) => void;
  ask: (what: BulkDialog | "auto-label") => void;
}

const CONTROLS = "button, input, select, textarea, a, dialog, [role=menu]";

/** Keys of the grid, from anywhere on the page but a control that has a use for them itself. */
export function useGridKeys(picking: Picking, view: { current: GridView | null }, acts: Acts): void {
  useLayoutEffect(() => {
    const columns = (): number => view.current?.columns ?? 1;
    const page = (): number => columns() * (view.current?.pageRows ?? 1);
    const by: Record<string, () => number> = {
      arrowright: () => 1,
      arrowleft: () => -1,
      arrowdown: columns,
      arrowup: () => -columns(),
      pagedown: page,
      pageup: () => -page(),
      home: () => -Infinity,
      end: () => Infinity,
    };
    const map: Keymap = {
      enter: () => acts.open(picking.focused),
      space: () => picking.toggle(picking.focused),
      "shift+space": () => picking.extendTo(picking.focused),
      "ctrl+a": () => picking.selectAll(),
      escape: () => picking.clear(),
      delete: () => acts.ask("delete"),
      "ctrl+j": () => acts.ask("auto-label"),
      a: () => acts.ask("assign"),
      r: () => acts.ask("reopen"),
      "/": () => document.getElementById("find-image")?.focus(),
    };
    for (const [key, step] of Object.entries(by)) {
      map[`${key}*`] = () => picking.move(step());
      map[`shift+${key}*`] = () => picking.move(step(), true);
    }
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest(CONTROLS) && !target.closest(".grid")) return;
      if (dispatch(map, event)) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
}
