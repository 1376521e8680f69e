import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { images } from "../../api/client";
import type { Image } from "../../api/types";
import type { ImageList } from "../../app/image-list";
import { TASK_WORDS, TaskMark } from "../../parts/marks";
import { count } from "../../parts/words";
import { layout, visible } from "./layout";

interface Props {
  list: ImageList;
  total: number;
  cell: number;
  focused: number;
  selected: ReadonlySet<number>;
  onFocus: (index: number) => void;
  onOpen: (image: Image) => void;
  onSelect: (index: number, range: boolean) => void;
  onColumns: (columns: number) => void;
}

/** A grid that draws only the rows in sight, whatever the number of images. */
export function Grid(props: Props) {
  const { list, total, cell, focused } = props;
  const host = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ width: 0, height: 0, top: list.scrollTop });
  const items = list.items.value;
  const known = list.complete.value ? items.length : Math.max(total, items.length);
  const plan = layout(view.width, cell, known);
  const range = visible(plan, view.top, view.height);

  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return;
    const measure = (): void =>
      setView({ width: element.clientWidth, height: element.clientHeight, top: element.scrollTop });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    element.scrollTop = list.scrollTop;
    return () => observer.disconnect();
  }, [list]);
  useEffect(() => props.onColumns(plan.columns), [plan.columns]);
  useEffect(() => void list.ensure(range.to + plan.columns * 4), [list, range.to]);
  useEffect(() => {
    const element = host.current;
    if (!element || focused < 0 || plan.rowHeight === 0) return;
    const top = Math.floor(focused / plan.columns) * plan.rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + plan.rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = top + plan.rowHeight - element.clientHeight;
  }, [focused]);

  const shown = [];
  for (let index = range.from; index < range.to; index++) {
    const image = items[index] as Image | undefined;
    const place = {
      left: `${(index % plan.columns) * (plan.cellWidth + plan.gap)}px`,
      top: `${Math.floor(index / plan.columns) * plan.rowHeight}px`,
      width: `${plan.cellWidth}px`,
    };
    shown.push(
      image ? (
        <Cell key={image.id} {...props} image={image} index={index} place={place} height={plan.pictureHeight} />
      ) : (
        <li key={`gap-${index}`} class="cell" style={place}>
          <div class="picture" style={{ height: `${plan.pictureHeight}px` }} />
        </li>
      ),
    );
  }
  return (
    <div
      ref={host}
      class="grid"
      onScroll={(event) => {
        list.scrollTop = event.currentTarget.scrollTop;
        setView({ ...view, top: event.currentTarget.scrollTop });
      }}
    >
      <ul style={{ height: `${plan.height}px` }} aria-label="Images">
        {shown}
      </ul>
    </div>
  );
}

interface CellProps extends Props {
  image: Image;
  index: number;
  place: { left: string; top: string; width: string };
  height: number;
}

function Cell({ image, index, place, height, selected, focused, onFocus, onOpen, onSelect }: CellProps) {
  const on = selected.has(image.id);
  return (
    <li class={`cell ${on ? "selected" : ""} ${index === focused ? "focused" : ""}`} style={place}>
      <a
        href={`/projects/${image.project_id}/images/${image.id}${location.search}`}
        title={image.name}
        aria-label={`${image.name}, ${TASK_WORDS[image.state]}, ${image.annotations} objects`}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey || selected.size > 0) {
            event.preventDefault();
            onSelect(index, event.shiftKey);
          } else {
            event.preventDefault();
            onOpen(image);
          }
        }}
        onFocus={() => onFocus(index)}
      >
        <div class="picture" style={{ height: `${height}px` }}>
          <img
            src={images.thumbnailUrl(image.project_id, image.id, image.sha256)}
            alt=""
            decoding="async"
            onError={(event) => event.currentTarget.classList.add("missing")}
          />
          {image.predictions > 0 && (
            <span class="badge" title={`${image.predictions} predictions`}>
              <i aria-hidden="true" />
              {count(image.predictions)}
            </span>
          )}
        </div>
        <div class="caption">
          <TaskMark state={image.state} />
          <span class="cut">{TASK_WORDS[image.state]}</span>
          <span class="space" />
          <span>{image.annotations > 0 ? count(image.annotations) : image.predictions > 0 ? "" : "empty"}</span>
        </div>
      </a>
      <input
        type="checkbox"
        checked={on}
        aria-label={`Select ${image.name}`}
        tabIndex={-1}
        onClick={(event) => {
          event.preventDefault();
          onSelect(index, event.shiftKey);
        }}
      />
    </li>
  );
}
