import { effect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import { toImage } from "../editor/camera";
import { counted } from "../parts/words";
import { Button } from "../parts/controls";
import type { Bench } from "./bench";
import { placeOf, standingOf, type Talked, under } from "./talk";

/** The numbered pins over the picture: they stay in their place of it and keep their size. */
export function Pins({ bench }: { bench: Bench }) {
  const { talk } = bench;
  const layer = useRef<HTMLDivElement>(null);
  const list = talk.list.value;
  const shown = bench.annotations.value;
  useLayoutEffect(() => {
    const { camera } = bench.session;
    return effect(() => {
      const { x, y, scale } = camera.value;
      layer.current?.style.setProperty("--scale", String(scale));
      if (layer.current) layer.current.style.transform = `translate(${x}px, ${y}px)`;
    });
  }, [bench]);
  const byId = new Map(shown.map((one) => [one.id, one]));
  const draft = talk.begun.value?.pin;
  const drawing = bench.session.tool.value !== "select" && bench.editor !== null;
  return (
    <>
      <div class={`pins ${drawing ? "drawing" : ""}`} ref={layer}>
        {list.map((one) => {
          const at = placeOf(one, byId.get(one.annotationId ?? ""));
          return at && <PinButton key={one.key} one={one} at={at} bench={bench} />;
        })}
        {draft && <span class="pin begun" style={place(draft)} aria-hidden="true" />}
      </div>
      {talk.placing.value && <Placing bench={bench} />}
    </>
  );
}

const place = ({ x, y }: { x: number; y: number }) => ({ left: `calc(${x}px * var(--scale))`, top: `calc(${y}px * var(--scale))` });

function PinButton({ one, at, bench }: { one: Talked; at: { x: number; y: number }; bench: Bench }) {
  const standing = standingOf(one);
  const open = bench.talk.open.value === one.key;
  const unread = one.thread?.unread ?? 0;
  const words = [`Comment ${one.number}`, standing, unread > 0 && `${counted(unread, "unread comment")}`].filter(Boolean).join(", ");
  return (
    <button
      type="button"
      class={`pin ${standing} ${unread > 0 ? "unread" : ""}`}
      style={place(at)}
      aria-label={words}
      title={words}
      aria-pressed={open}
      onClick={() => openThread(bench, one)}
    >
      <span>{standing === "resolved" ? "✓" : one.number}</span>
    </button>
  );
}

/** Open a thread and select what it is pinned to. */
export function openThread(bench: Bench, one: Talked): void {
  bench.talk.toggle(one.key);
  if (bench.talk.open.peek() === one.key && one.annotationId !== null && bench.desk.peek()?.document.get(one.annotationId)) {
    bench.session.select(one.annotationId);
  }
}

/** The next press says where the comment is about. */
function Placing({ bench }: { bench: Bench }) {
  const { talk, session } = bench;
  const size = bench.size;
  const put = (event: MouseEvent): void => {
    const host = event.currentTarget as HTMLElement;
    const area = host.getBoundingClientRect();
    const at = toImage(session.camera.peek(), { x: event.clientX - area.left, y: event.clientY - area.top });
    if (size && at.x >= 0 && at.y >= 0 && at.x <= size.width && at.y <= size.height) beginAt(bench, at);
    else talk.begin(null);
  };
  return (
    <div class="placing" onClick={put}>
      <p class="chip" role="status" onClick={(event) => event.stopPropagation()}>
        Press where the comment belongs
        <Button kind="quiet" onClick={() => talk.begin(null)}>
          Whole image
        </Button>
        <Button kind="quiet" hint="Esc" onClick={() => (talk.placing.value = false)}>
          Cancel
        </Button>
      </p>
    </div>
  );
}

/** Begin a comment at a point of the image, or at the smallest annotation there. */
function beginAt(bench: Bench, at: { x: number; y: number }): void {
  const { hidden } = bench.session;
  const found = under(bench.annotations.peek().filter((one) => !hidden.peek().has(one.id)), at.x, at.y);
  bench.talk.begin({ ...at, ...(found ? { annotation_id: found.id } : {}) });
}

/** The key: a comment on what is under the pointer, else on what is selected, else on the image. */
export function comment(bench: Bench): void {
  const { pointer, single } = bench.session;
  const size = bench.size;
  const at = pointer.peek();
  const inside = at && size && at.x >= 0 && at.y >= 0 && at.x <= size.width && at.y <= size.height;
  const one = single === null ? undefined : bench.desk.peek()?.document.get(single);
  if (inside) beginAt(bench, at);
  else if (one && size) bench.talk.begin({ ...topOf(bench, single!, size), annotation_id: single! });
  else bench.talk.begin(null);
}

function topOf(bench: Bench, id: string, size: { width: number; height: number }): { x: number; y: number } {
  const at = placeOf({ key: "", number: 0, thread: null, pending: [], annotationId: id, x: 0, y: 0 }, bench.desk.peek()?.document.get(id));
  return { x: Math.min(Math.max(at?.x ?? 0, 0), size.width), y: Math.min(Math.max(at?.y ?? 0, 0), size.height) };
}
