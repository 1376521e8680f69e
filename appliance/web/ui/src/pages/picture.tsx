import { useEffect, useMemo, useRef } from "preact/hooks";

import { images } from "../api/client";
import { filterOf, searchOf } from "../app/image-filter";
import { imageList } from "../app/image-list";
import { editing } from "../app/editing";
import { useKeys } from "../app/keys";
import type { ProjectPageProps } from "../app/project";
import { go, place } from "../app/router";
import { events } from "../app/session";
import { useEvents } from "../app/use";
import { usePicture } from "../app/use-picture";
import { ImageDocument } from "../editor/document";
import { Pictures } from "../editor/pictures";
import { neighbour, shapesOf } from "../editor/shapes-of";
import type { Opened, Stage } from "../editor/stage";
import { Canvas } from "../parts/canvas";
import { Button, Fault, IconButton } from "../parts/controls";
import { TASK_WORDS, TaskMark } from "../parts/marks";
import { Objects } from "../parts/objects";
import { PointerLine, ZoomLine } from "../parts/pointer-line";
import { bytes, count, counted, when } from "../parts/words";

const AHEAD = [1, 2, -1];

/** One image with its annotations; A and D walk through the filter of the grid. */
export function Picture({ project, labels, params }: ProjectPageProps) {
  const imageId = Number(params.image);
  const filter = filterOf(place.value.query);
  const list = imageList(project.id, filter);
  const annotating = `/projects/${project.id}/annotate${searchOf(filter, { image: String(imageId) })}`;
  const pictures = useMemo(() => new Pictures(project.id), [project.id]);
  const { ready, problem, refresh } = usePicture(pictures, imageId);
  const selected = editing.single;
  const setSelected = (id: string | null): void => editing.select(...(id ? [id] : []));
  const stage = useRef<Stage | null>(null);
  const ids = list.ids.value;
  const index = list.indexOf(imageId);

  useEffect(() => {
    void list.start();
    return list.follow(events);
  }, [list]);
  useEffect(() => {
    if (index >= 0) pictures.ahead(AHEAD.flatMap((by) => ids?.[index + by] ?? []));
  }, [index, ids]);
  useEffect(() => setSelected(null), [imageId]);
  useEvents(["annotations.changed"], project.id, refresh);

  const annotations = ready?.annotations.annotations ?? [];
  const opened = useMemo(
    (): Opened | null =>
      ready && {
        picture: ready.picture,
        document: new ImageDocument(ready.image.id, ready.annotations.revision, ready.annotations.annotations),
        editor: null,
        labels,
      },
    [ready?.picture, ready?.annotations, labels],
  );
  const shapes = useMemo(
    () => shapesOf(annotations, labels, { threshold: editing.threshold.value, hidden: editing.hiddenAll.value }),
    [annotations, labels, editing.threshold.value, editing.hiddenAll.value],
  );
  const back = `/projects/${project.id}/images${location.search}`;
  const step = (by: number) => (): void => {
    const next = index === -1 ? undefined : ids?.[index + by];
    if (next) go(`/projects/${project.id}/images/${next}${location.search}`, "replace");
  };
  const cycle = (by: number): void => setSelected(neighbour(shapes, selected, by));
  useKeys({
    "d*": step(1),
    "a*": step(-1),
    "arrowright*": step(1),
    "arrowleft*": step(-1),
    f: () => stage.current?.fit(),
    "shift+0": () => stage.current?.zoomTo(1),
    "+*": () => stage.current?.zoomBy(1.25),
    "-*": () => stage.current?.zoomBy(0.8),
    h: () => (editing.hiddenAll.value = !editing.hiddenAll.value),
    "tab*": () => cycle(1),
    "shift+tab*": () => cycle(-1),
    escape: () => (selected ? setSelected(null) : go(back)),
    e: () => go(annotating),
  });
  const image = ready?.image;
  return (
    <main class="work">
      <div class="workbar">
        <IconButton icon="back" label="Back to images" hint="Esc" onClick={() => go(back)} />
        <span class="mono cut">{image?.name}</span>
        {image && (
          <span class="second wide-only">
            {image.width} × {image.height}
          </span>
        )}
        <span class="space" />
        <IconButton icon="left" label="Previous image" hint="A" disabled={index < 1} onClick={step(-1)} />
        <span>
          {index >= 0 ? count(index + 1) : "–"}{" "}
          <span class="second">of {count(list.total ?? project.images)}</span>
        </span>
        <IconButton icon="right" label="Next image" hint="D" disabled={index === -1 || index >= (list.total ?? 0) - 1} onClick={step(1)} />
        <span class="space" />
        <IconButton icon={editing.hiddenAll.value ? "hidden" : "eye"} label={editing.hiddenAll.value ? "Show objects" : "Hide objects"} hint="H" onClick={() => (editing.hiddenAll.value = !editing.hiddenAll.value)} />
        <IconButton icon="fit" label="Fit" hint="F" onClick={() => stage.current?.fit()} />
        <Button kind="primary" hint="E" onClick={() => go(annotating)}>
          Annotate
        </Button>
      </div>
      <div class="stage">
        <Canvas
          session={editing}
          opened={opened}
          label={image ? `${image.name}, ${counted(annotations.length, "object")}` : "Picture"}
          onReady={(made) => (stage.current = made)}
        />
        {problem && (
          <div class="over-stage">
            <Fault problem={problem} retry={() => location.reload()} />
          </div>
        )}
      </div>
      <aside class="panel" aria-label="Objects">
        <header>
          <b>{counted(annotations.length, "object")}</b>
          <span class="second">{image ? `revision ${ready.annotations.revision}` : ""}</span>
        </header>
        <Objects
          annotations={annotations}
          labels={labels}
          selected={selected}
          threshold={editing.threshold.value}
          onThreshold={(value) => (editing.threshold.value = value)}
          onSelect={setSelected}
        />
        {annotations.length === 0 && image && <p class="note second">Nothing is annotated here yet.</p>}
        {image && (
          <dl class="facts raw">
            <dt>Status</dt>
            <dd class="state">
              <TaskMark state={image.state} /> {TASK_WORDS[image.state]}
            </dd>
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
        )}
      </aside>
      <footer class="status">
        <PointerLine session={editing} size={image ?? null} />
        <span class="space" />
        <ZoomLine session={editing} />
      </footer>
    </main>
  );
}
