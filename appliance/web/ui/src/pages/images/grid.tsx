import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import type { ImageList } from "../../app/image-list";
import { GridView } from "./grid-view";
import type { Picking } from "./picking";

interface Props {
  list: ImageList;
  picking: Picking;
  cell: number;
  /** Names of people by id, for whose an image is. */
  people: ReadonlyMap<number, string>;
  /** Of labels, by id. */
  colors: ReadonlyMap<number, string>;
  href: (id: number) => string;
  onOpen: (index: number) => void;
  /** An image is about to be opened. */
  onNear: (index: number) => void;
  view: { current: GridView | null };
}

/** The place of a grid in the page; the grid draws itself. */
export function Grid({ list, picking, cell, people, colors, href, onOpen, onNear, view }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef({ people, colors, href, onOpen, onNear });
  latest.current = { people, colors, href, onOpen, onNear };
  useLayoutEffect(() => {
    if (!host.current) return;
    const made = new GridView(host.current, list, picking, cell, {
      colors: () => latest.current.colors,
      href: (id) => latest.current.href(id),
      person: (id) => latest.current.people.get(id) ?? null,
      open: (index) => latest.current.onOpen(index),
      near: (index) => latest.current.onNear(index),
    });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
  }, [list, picking]);
  useEffect(() => view.current?.resize(cell), [cell]);
  useEffect(() => view.current?.refresh(), [people, colors]);
  return <div ref={host} class="grid" />;
}
