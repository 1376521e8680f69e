import { render } from "preact";

import { images } from "../../api/client";
import type { Image, Outlines, TaskState } from "../../api/types";
import { TASK_WORDS, TaskMark } from "../../parts/marks";
import { count, counted } from "../../parts/words";
import type { Layout } from "./layout";
import { paint } from "./outlines";

/** What a cell shows. */
export interface Look {
  index: number;
  id: number;
  image: Image | undefined;
  selected: boolean;
  focused: boolean;
  assignee: string | null;
  /** What to draw over the picture; null for nothing. */
  outlines: Outlines | null;
}

interface Cell {
  item: HTMLLIElement;
  link: HTMLAnchorElement;
  /** Read aloud, not shown: the name in front of what the cell shows, and the unit of its number. */
  name: HTMLSpanElement;
  objects: HTMLSpanElement;
  picture: HTMLDivElement;
  img: HTMLImageElement;
  over: HTMLCanvasElement | null;
  badge: HTMLSpanElement;
  predictions: Text;
  threads: HTMLSpanElement;
  mark: HTMLSpanElement;
  word: HTMLSpanElement;
  person: HTMLSpanElement;
  tally: HTMLSpanElement;
  tick: HTMLInputElement;
  shown: Partial<Look> & { drawn?: string; place?: string; source?: string; state?: TaskState };
}

const marks = new Map<TaskState, ParentNode>();

/** The elements of the cells in sight, used again and again: scrolling makes and drops none. */
export class Cells {
  private readonly list: HTMLUListElement;
  private readonly used = new Map<number, Cell>();
  private readonly free: Cell[] = [];
  private colors: ReadonlyMap<number, string> = new Map();
  private palette = 0;

  constructor(list: HTMLUListElement) {
    this.list = list;
  }

  /** Draw annotations in these colours, by label. */
  colored(colors: ReadonlyMap<number, string>): void {
    if (colors === this.colors) return;
    this.colors = colors;
    this.palette++;
  }

  /** Take the cells outside these places out of use; what their pictures still load is given up. */
  keep(from: number, to: number): void {
    for (const [index, cell] of this.used) {
      if (index >= from && index < to) continue;
      this.used.delete(index);
      cell.item.hidden = true;
      this.setSource(cell, "");
      this.free.push(cell);
    }
  }

  /** Draw one cell `top` pixels down; without `load` its picture waits until the scrolling slows down. */
  show(look: Look, plan: Layout, top: number, href: (id: number) => string, load: boolean): void {
    const cell = this.used.get(look.index) ?? this.take(look.index);
    const column = look.index % plan.columns;
    const place = `translate(${column * (plan.cellWidth + plan.gap)}px, ${top}px)`;
    if (cell.shown.place !== place) cell.item.style.transform = cell.shown.place = place;
    const { image } = look;
    if (cell.shown.image !== image || cell.shown.id !== look.id || cell.shown.assignee !== look.assignee)
      this.describe(cell, look, plan.count, href);
    if (cell.shown.selected !== look.selected) cell.item.classList.toggle("selected", look.selected);
    if (cell.tick.checked !== look.selected) cell.tick.checked = look.selected;
    if (cell.shown.focused !== look.focused) cell.item.classList.toggle("focused", look.focused);
    if (image && load) this.setSource(cell, images.thumbnailUrl(image.project_id, image.id, image.sha256));
    this.outline(cell, look, plan);
    Object.assign(cell.shown, look);
  }

  /** Make one cell the one that Tab comes to. */
  reach(index: number): void {
    for (const [at, cell] of this.used) {
      const tabIndex = at === index ? 0 : -1;
      if (cell.link.tabIndex !== tabIndex) cell.link.tabIndex = tabIndex;
    }
  }

  /** Hand the keyboard to a cell, if it is in sight. */
  focus(index: number): void {
    this.used.get(index)?.link.focus({ preventScroll: true });
  }

  /** The place of the cell an element belongs to, -1 for none. */
  indexOf(target: EventTarget | null): number {
    const item = target instanceof Element ? target.closest<HTMLElement>(".cell") : null;
    return item ? Number(item.dataset.index) : -1;
  }

  private describe(cell: Cell, { index, id, image, assignee }: Look, total: number, href: (id: number) => string): void {
    cell.item.dataset.index = String(index);
    cell.item.ariaPosInSet = String(index + 1);
    cell.item.ariaSetSize = String(total);
    cell.link.href = href(id);
    if (cell.shown.id !== id) this.setSource(cell, "");
    cell.item.classList.toggle("waiting", !image);
    cell.link.title = image?.name ?? "";
    cell.name.textContent = image ? `${image.name}, ` : `Image ${count(index + 1)}`;
    cell.tick.ariaLabel = image ? `Select ${image.name}` : `Select image ${count(index + 1)}`;
    cell.badge.hidden = !image?.predictions;
    cell.badge.title = image ? counted(image.predictions, "prediction") : "";
    cell.predictions.textContent = image ? count(image.predictions) : "";
    cell.threads.hidden = !image?.threads;
    cell.threads.textContent = image?.threads ? count(image.threads) : "";
    cell.threads.title = image ? counted(image.threads, "unresolved comment") : "";
    if (cell.shown.state !== image?.state) {
      cell.mark.replaceChildren(...(image ? [markOf(image.state)] : []));
      cell.word.textContent = image ? TASK_WORDS[image.state] : "";
      cell.shown.state = image?.state;
    }
    cell.person.textContent = assignee ? initials(assignee) : "";
    cell.person.title = assignee ?? "";
    cell.tally.textContent = image ? tally(image) : "";
    cell.objects.textContent = image?.annotations ? (image.annotations === 1 ? " object" : " objects") : "";
  }

  /** Draw the annotations again where they, the picture or its size are others than last time. */
  private outline(cell: Cell, { image, outlines }: Look, plan: Layout): void {
    const shapes = image && outlines?.shapes.length ? outlines.shapes : null;
    const drawn = shapes && image ? [image.id, outlines?.revision, this.palette, plan.cellWidth, plan.pictureHeight].join() : "";
    if (cell.shown.drawn === drawn) return;
    cell.shown.drawn = drawn;
    if (cell.over) cell.over.hidden = !shapes;
    if (!shapes || !image) return;
    if (!cell.over) cell.picture.insertBefore((cell.over = element("canvas")), cell.badge);
    cell.over.hidden = false;
    paint(cell.over, image, shapes, this.colors, { width: plan.cellWidth, height: plan.pictureHeight });
  }

  private setSource(cell: Cell, source: string): void {
    if (cell.shown.source === source) return;
    cell.shown.source = source;
    cell.img.classList.remove("missing");
    if (source) cell.img.src = source;
    else cell.img.removeAttribute("src");
  }

  private take(index: number): Cell {
    const cell = this.free.pop() ?? this.make();
    cell.item.hidden = false;
    this.used.set(index, cell);
    return cell;
  }

  private make(): Cell {
    const [item, link, picture, img] = [element("li", "cell"), element("a"), element("div", "picture"), element("img")];
    const [badge, caption, mark] = [element("span", "badge"), element("div", "caption"), element("span")];
    const [word, tick] = [element("span", "cut"), element("input")];
    const [person, tally] = [element("span", "person"), element("span", "tally")];
    img.alt = "";
    img.decoding = "async";
    img.draggable = false;
    img.onerror = () => img.classList.add("missing");
    tick.type = "checkbox";
    tick.tabIndex = -1;
    link.tabIndex = -1;
    const [name, objects, predictions] = [element("span", "unseen"), element("span", "unseen"), document.createTextNode("")];
    const unit = element("span", "unseen");
    unit.textContent = " predicted, ";
    badge.append(element("i"), predictions, unit);
    const threads = element("span", "badge threads");
    picture.append(img, badge, threads);
    caption.append(mark, word, person, tally, objects);
    link.append(name, picture, caption);
    item.append(link, tick);
    this.list.append(item);
    return { item, link, name, picture, img, badge, predictions, threads, mark, word, person, tally, objects, tick, over: null, shown: {} };
  }
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, kind = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  return made;
}

function markOf(state: TaskState): Node {
  let made = marks.get(state);
  if (!made) {
    made = document.createElement("span");
    render(<TaskMark state={state} />, made as HTMLElement);
    marks.set(state, made);
  }
  return made.firstChild!.cloneNode(true);
}

const tally = (image: Image): string =>
  image.annotations > 0 ? count(image.annotations) : image.predictions > 0 ? "" : "empty";

/** "Ann Lee" is AL. */
export function initials(name: string): string {
  const words = name.trim().split(/[\s._-]+/).filter(Boolean);
  return words.slice(0, 2).map((word) => word.charAt(0).toUpperCase()).join("");
}
