import { effect } from "@preact/signals";

import type { ImageList } from "../../app/image-list";
import { Cells } from "./cells";
import { type Layout, layout, reveal, scrollOf, topOf, visible } from "./layout";
import { outlined, OutlineList } from "./outlines";
import type { Picking } from "./picking";

const SETTLED_MS = 90;
/** Screens per second beyond which nobody looks at pictures. */
const FLYING = 4;

interface Wants {
  colors: () => ReadonlyMap<number, string>;
  href: (id: number) => string;
  person: (id: number) => string | null;
  open: (index: number) => void;
  /** An image is about to be opened. */
  near: (index: number) => void;
}

/** The grid of thumbnails without a framework: only what is in sight exists, whatever the number of images. */
export class GridView {
  private readonly host: HTMLElement;
  private readonly list: ImageList;
  private readonly picking: Picking;
  private readonly wants: Wants;
  private readonly room: HTMLUListElement;
  private readonly cells: Cells;
  private readonly outlines: OutlineList;
  private readonly stops: (() => void)[] = [];
  private cell: number;
  private plan: Layout = layout(0, 1, 0);
  private height = 0;
  private frame = 0;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private last = { top: 0, at: 0 };
  private flying = false;
  private shown: Int32Array | null = null;
  private revealed = -1;

  constructor(host: HTMLElement, list: ImageList, picking: Picking, cell: number, wants: Wants) {
    this.host = host;
    this.list = list;
    this.picking = picking;
    this.cell = cell;
    this.wants = wants;
    this.room = document.createElement("ul");
    this.room.setAttribute("aria-label", "Images");
    host.replaceChildren(this.room);
    this.cells = new Cells(this.room);
    this.outlines = new OutlineList(list.projectId);
    this.measure();
    host.scrollTop = list.scrollTop;
    const observer = new ResizeObserver(() => this.resized());
    observer.observe(host);
    host.addEventListener("scroll", this.scrolled, { passive: true });
    host.addEventListener("pointerdown", this.pressed);
    host.addEventListener("click", this.clicked);
    host.addEventListener("focusin", this.entered);
    this.stops.push(
      () => observer.disconnect(),
      effect(() => this.follow()),
    );
  }

  get columns(): number {
    return this.plan.columns;
  }

  /** Whole rows in sight, for a page up or down. */
  get pageRows(): number {
    return Math.max(1, Math.floor(this.height / Math.max(1, this.plan.rowHeight)));
  }

  resize(cell: number): void {
    this.cell = cell;
    this.resized();
  }

  /** Draw again, as when names of people came. */
  refresh(): void {
    this.soon();
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settling);
    this.host.removeEventListener("scroll", this.scrolled);
    this.host.removeEventListener("click", this.clicked);
    this.host.removeEventListener("focusin", this.entered);
    for (const stop of this.stops) stop();
    this.host.replaceChildren();
  }

  private follow(): void {
    const ids = this.list.ids.value;
    void [this.list.told.value, this.outlines.told.value, outlined.value];
    void this.picking.all.value;
    void this.picking.some.value;
    const id = this.picking.focusedId.value;
    if (ids !== this.shown) this.replaced(ids);
    const focused = this.picking.focused;
    if (id !== null && focused >= 0 && focused !== this.revealed) this.reveal(focused);
    this.revealed = focused;
    this.soon();
  }

  /** Keep what is in sight where it is while images come or go before it. */
  private replaced(ids: Int32Array | null): void {
    const before = this.shown;
    const top = this.top;
    const first = Math.floor(top / Math.max(1, this.plan.rowHeight)) * this.plan.columns;
    const id = before?.[first];
    this.shown = ids;
    this.measure();
    const moved = top > 0 && id !== undefined && ids ? ids.indexOf(id) : -1;
    if (moved < 0 || moved === first) return;
    const by = (Math.floor(moved / this.plan.columns) - first / this.plan.columns) * this.plan.rowHeight;
    this.scrollTo(top + by);
    this.revealed = this.picking.focused;
  }

  private measure(): void {
    this.height = this.host.clientHeight;
    this.plan = layout(this.host.clientWidth, this.cell, this.list.ids.value?.length ?? 0);
    this.room.style.height = `${this.plan.scrollHeight}px`;
    this.host.style.setProperty("--cell-width", `${this.plan.cellWidth}px`);
    this.host.style.setProperty("--picture-height", `${this.plan.pictureHeight}px`);
  }

  /** With another number of columns the same image stays at the top. */
  private resized(): void {
    const first = Math.floor(this.top / Math.max(1, this.plan.rowHeight)) * this.plan.columns;
    const { rowHeight } = this.plan;
    this.measure();
    if (rowHeight > 1 && first > 0) this.scrollTo(Math.floor(first / this.plan.columns) * this.plan.rowHeight);
    this.soon();
  }

  private get top(): number {
    return topOf(this.plan, this.host.scrollTop, this.height);
  }

  private scrollTo(top: number): void {
    this.host.scrollTop = scrollOf(this.plan, top, this.height);
  }

  private reveal(index: number): void {
    const top = this.top;
    const next = reveal(this.plan, index, top, this.height);
    if (next !== top) this.scrollTo(next);
  }

  private soon(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  private readonly scrolled = (): void => {
    const now = performance.now();
    const speed = (1000 * Math.abs(this.host.scrollTop - this.last.top)) / Math.max(1, now - this.last.at);
    this.flying = speed > FLYING * this.height;
    this.last = { top: this.host.scrollTop, at: now };
    this.list.scrollTop = this.host.scrollTop;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.flying = false;
      this.soon();
    }, SETTLED_MS);
    this.soon();
  };

  private draw(): void {
    this.frame = 0;
    const ids = this.list.ids.peek();
    if (!ids || this.plan.cellWidth <= 0) return;
    const top = this.top;
    const { from, to } = visible(this.plan, top, this.height);
    const shift = this.host.scrollTop - top;
    const focused = this.picking.focused;
    const reachable = focused >= from && focused < to ? focused : from;
    this.cells.keep(from, to);
    this.cells.colored(this.wants.colors());
    for (let index = from; index < to; index++) {
      const image = this.list.row(ids[index]);
      const look = {
        index,
        id: ids[index],
        image,
        selected: this.picking.has(ids[index]),
        focused: index === focused,
        outlines: image && outlined.peek() ? this.outlines.of(image) : null,
        assignee: image?.assignee_id ? this.wants.person(image.assignee_id) : null,
      };
      const y = Math.floor(index / this.plan.columns) * this.plan.rowHeight + shift;
      this.cells.show(look, this.plan, y, this.wants.href, !this.flying);
    }
    this.cells.reach(reachable);
    if (!this.flying && outlined.peek()) this.outlines.want([...ids.subarray(from, to)].flatMap((id) => this.list.row(id) ?? []));
    if (!this.flying) this.list.want(from, Math.min(ids.length, to + this.plan.columns * 2));
    if (this.host.contains(document.activeElement) && focused >= from && focused < to) this.cells.focus(focused);
  }

  private readonly pressed = (event: PointerEvent): void => {
    const index = this.cells.indexOf(event.target);
    const opens = event.pointerType === "mouse" && event.button === 0 && !event.shiftKey && !event.ctrlKey && !event.metaKey;
    if (index >= 0 && opens && this.picking.count === 0 && !(event.target instanceof HTMLInputElement)) this.wants.near(index);
  };

  private readonly clicked = (event: MouseEvent): void => {
    const index = this.cells.indexOf(event.target);
    if (index < 0) return;
    event.preventDefault();
    const ticked = event.target instanceof HTMLInputElement;
    this.revealed = index;
    this.picking.focus(index);
    if (event.shiftKey) this.picking.extendTo(index);
    else if (ticked || event.ctrlKey || event.metaKey || this.picking.count > 0) this.picking.toggle(index);
    else this.wants.open(index);
    // A checkbox whose click is prevented goes back to what it was after this handler.
    setTimeout(() => this.soon());
  };

  private readonly entered = (event: FocusEvent): void => {
    const index = this.cells.indexOf(event.target);
    if (index >= 0 && index !== this.picking.focused) this.picking.focus(index);
  };
}
