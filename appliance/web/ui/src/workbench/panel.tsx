import type { ComponentChildren } from "preact";

import { images } from "../api/client";
import type { Annotation } from "../api/types";
import { hint } from "../app/keys";
import type { Ready } from "../editor/pictures";
import type { ColorBy } from "../editor/session";
import { Select } from "../parts/controls";
import { bytes, counted, when } from "../parts/words";
import type { Bench } from "./bench";
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
