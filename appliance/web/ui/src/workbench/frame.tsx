import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { images } from "../api/client";
import type { Problem } from "../api/problem";
import { hint } from "../app/keys";
import { Canvas } from "../parts/canvas";
import { Conflicts } from "../parts/conflicts";
import { Button, Fault, IconButton } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { counted } from "../parts/words";
import type { Bench } from "./bench";
import { LateWork } from "./late-work";
import { LabelFinder } from "./palette";
import { Pins } from "./pins";
import { SegmentBar } from "./segment-bar";
import { PastBanner } from "./past";
import { StatusLine } from "./status";
import { ThumbBar } from "./thumb-bar";
import { Tools } from "./tools";
import type { OnBench } from "./use-bench";
import { useRecall } from "./use-recall";
import "./workbench.css";
import "./tablet.css";

interface Props {
  kind: "annotate" | "review";
  bench: Bench;
  shown: OnBench;
  imageId: number | null;
  trouble: Problem | null;
  /** The bar above. */
  bar: ComponentChildren;
  panel: ComponentChildren;
  /** Between canvas and status line. */
  below: ComponentChildren;
  chips?: ComponentChildren;
  words?: readonly string[];
  tools?: boolean;
  /** Whether an earlier revision may be made the present one here. */
  mayRestore?: boolean;
  onNext: () => void;
}

/** The workbench: tools left, objects right, status below, and the canvas in the middle. */
export function Frame(props: Props) {
  const { kind, bench, shown, imageId, trouble, tools = true } = props;
  const [drawer, setDrawer] = useState(false);
  const { ready, opened } = shown;
  useRecall(bench, ready);
  const bare = bench.bare.value;
  const talking = bench.talk.open.value !== null || bench.talk.begun.value !== null;
  useEffect(() => {
    if (!talking) return;
    setDrawer(true);
    bench.side.value = "comments";
  }, [talking]);
  const desk = bench.desk.value;
  const label = ready ? `${ready.image.name}, ${counted(bench.annotations.value.length, "object")}` : "Picture";
  return (
    <main class={`work ${kind} ${bare ? "bare" : ""} ${tools ? "" : "no-tools"}`} data-drawer={drawer ? "open" : undefined} data-surround={bench.session.surround.value}>
      <div class="workbar">{props.bar}</div>
      {tools && <Tools bench={bench} />}
      <div class="stage">
        <Canvas session={bench.session} opened={opened} label={label} onReady={(made) => (bench.stage = made)} />
        {!ready && imageId !== null && !shown.problem && (
          <img class="coming" src={images.thumbnailUrl(bench.project.value.id, imageId)} alt="" />
        )}
        <Pins bench={bench} />
        <div class="over-stage">
          <Fault problem={trouble} />
          {desk && <Conflicts desk={desk} onShow={(id) => bench.session.select(id)} />}
          <Notice bench={bench} />
          <div class="chips">
            <PastBanner bench={bench} mayRestore={props.mayRestore ?? false} />
            <SegmentBar bench={bench} />
            <Arrived bench={bench} />
            {bench.readOnly.value && <p class="chip">{bench.readOnly.value}</p>}
            <LateWork bench={bench} ready={ready} />
            {props.chips}
          </div>
        </div>
        {bare && <IconButton icon="fit" label="Show bars and panels" hint={hint("chrome")} class="unbare" onClick={() => (bench.bare.value = false)} />}
      </div>
      <aside class="panel" aria-label="Objects" data-side={bench.side.value}>
        {props.panel}
      </aside>
      {props.below}
      <StatusLine bench={bench} size={ready?.image ?? null} words={props.words} />
      <ThumbBar bench={bench} draws={tools} onNext={props.onNext} panelOpen={drawer} onPanel={() => setDrawer(!drawer)} />
      <LabelFinder bench={bench} />
    </main>
  );
}

/** Predictions that came during the work wait until they are asked for. */
function Arrived({ bench }: { bench: Bench }) {
  const n = bench.arrived.value.length;
  if (n === 0) return null;
  return (
    <p class="chip" role="status">
      {counted(n, "prediction")} · <Button kind="quiet" onClick={() => bench.showArrived()}>Show</Button>
    </p>
  );
}

function Notice({ bench }: { bench: Bench }) {
  if (!bench.notice.value) return null;
  return (
    <div class="problem" role="alert">
      <p>{bench.notice.value}</p>
      <IconButton icon="close" label="Close" onClick={() => (bench.notice.value = null)} />
    </div>
  );
}

export function Guideline({ text, onClose }: { text: string; onClose: () => void }) {
  return (
    <Dialog title="Guideline" onClose={onClose}>
      <p class="guideline">{text || "This project has no guideline yet."}</p>
    </Dialog>
  );
}
