import { useLayoutEffect } from "preact/hooks";

import { dispatch, type Handlers } from "../../app/keys";
import type { BulkDialog } from "./bulk";
import type { GridView } from "./grid-view";
import { toggleOutlines } from "./outlines";
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
    const steps: Record<string, () => number> = {
      right: () => 1,
      left: () => -1,
      down: columns,
      up: () => -columns(),
      "page-down": page,
      "page-up": () => -page(),
      first: () => -Infinity,
      last: () => Infinity,
    };
    const moves = Object.entries(steps).flatMap(([way, step]) => [
      [`cell-${way}`, () => picking.move(step())] as const,
      [`range-${way}`, () => picking.move(step(), true)] as const,
    ]);
    const handlers: Handlers = {
      ...Object.fromEntries(moves),
      "open-image": () => void acts.open(picking.focused),
      "select-image": () => void picking.toggle(picking.focused),
      "select-to-image": () => void picking.extendTo(picking.focused),
      "select-all-images": () => void picking.selectAll(),
      "clear-images": () => void picking.clear(),
      "delete-images": () => void acts.ask("delete"),
      "auto-label-images": () => void acts.ask("auto-label"),
      "assign-images": () => void acts.ask("assign"),
      "plan-images": () => void acts.ask("plan"),
      "reopen-images": () => void acts.ask("reopen"),
      "outline-images": toggleOutlines,
      "find-image": () => document.getElementById("find-image")?.focus(),
    };
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest(CONTROLS) && !target.closest(".grid")) return;
      if (dispatch(handlers, event)) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
}
