import type { ComponentChildren } from "preact";

import { images } from "../api/client";
import type { Annotation } from "../api/types";
import { hint } from "../app/keys";
import type { Ready } from "../editor/pictures";
import type { ColorBy } from "../editor/session";
import { Select } from "../parts/controls";
import { bytes, counted, when } from "../parts/words";
import type { Bench, Side } from "./bench";
import { Comments } from "./comments";
import { COLORS } from "./display";
import { Objects } from "./objects";
import { Palette } from "./palette";
import { History } from "./past";
import { Selection } from "./selection";

interface Props {
  bench: Bench;
  ready: Ready | null;
  /** At the right end of the heading. */
  actions?: ComponentChildren;
  rowActions?: (annotation: Annotation) => ComponentChildren;
  remark?: (annotation: Annotation) => string | null;
  /** What stands in place of an empty list. */
  empty?: string;
  palette?: boolean;
}

/** Labels, objects, what is selected, and the image itself. */
export function Panel({ bench, ready, actions, rowActions, remark, empty, palette = true }: Props) {
  const annotations = bench.listed.value;
  const { colorBy } = bench.session;
  return (
    <>
      <Sides bench={bench} />
      {palette && <Palette bench={bench} />}
      <header>
        <b>{counted(annotations.length, "object")}</b>
        <span class="space" />
        {actions}
      </header>
      {annotations.length > 1 && (
        <div class="color-by">
          Colour by <Select bare label="Colour by" value={colorBy.value} options={COLORS} onPick={(value) => (colorBy.value = value as ColorBy)} />
        </div>
      )}
      {annotations.length === 0 && ready && bench.lists && (
        <p class="note second">{empty ?? (bench.editor ? `Nothing here yet: press ${hint("box")} and drag a box.` : "Nothing is annotated here yet.")}</p>
      )}
      <Objects bench={bench} actions={rowActions} remark={remark} />
      <Selection bench={bench} />
      <Comments bench={bench} />
      {ready && <History bench={bench} ready={ready} />}
      {ready && bench.selected.value.length === 0 && <FileFacts ready={ready} />}
    </>
  );
}

const SIDES: readonly (readonly [Side, string])[] = [["objects", "Objects"], ["comments", "Comments"], ["image", "Image"]];

/** Under a finger the panel shows one of its parts at a time. */
function Sides({ bench }: { bench: Bench }) {
  const { side, talk } = bench;
  const open = talk.waiting.value.length;
  return (
    <div class="sides" role="group" aria-label="Panel">
      {SIDES.map(([one, word]) => (
        <button key={one} type="button" aria-pressed={one === side.value} onClick={() => (side.value = one)}>
          {word}
          {one === "comments" && open > 0 && <span class="second">{open}</span>}
          {one === "comments" && talk.unread.value > 0 && <span class="unread-dot" role="img" aria-label={`${talk.unread.value} unread`} />}
        </button>
      ))}
    </div>
  );
}

function FileFacts({ ready: { image } }: { ready: Ready }) {
  return (
    <details class="raw">
      <summary>File</summary>
      <dl class="facts">
        <dt>Format</dt>
        <dd>
          {image.format}, {bytes(image.size_bytes)}
        </dd>
        <dt>Added</dt>
        <dd>{when(image.created_at_ms)}</dd>
        <dt>Hash</dt>
        <dd class="mono">{image.sha256.slice(0, 12)}</dd>
        <dt>File</dt>
        <dd>
          <a class="link" href={images.fileUrl(image)} download={image.name.split("/").pop()}>
            Original
          </a>
        </dd>
      </dl>
    </details>
  );
}
