import { effect, untracked } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";

import { images, projects } from "../api/client";
import type { Problem } from "../api/problem";
import type { Label, ProjectRow } from "../api/types";
import { me } from "../app/session";
import { usePicture } from "../app/use-picture";
import type { ImageDocument } from "../editor/document";
import type { Ready } from "../editor/pictures";
import type { Opened } from "../editor/stage";
import { Bench } from "./bench";
import type { Walk } from "./walk";

/** Without a stage that tells: the first image is painted before anything is fetched ahead. */
const FIRST_MS = 1_000;

/** A bench for a project, for as long as its page is there. */
export function useBench(project: ProjectRow, labels: readonly Label[]): Bench {
  const bench = useMemo(() => new Bench(project), [project.id]);
  useLayoutEffect(() => {
    bench.project.value = project;
    bench.labels.value = labels;
  }, [bench, project, labels]);
  useEffect(() => {
    const { labelId } = bench.session;
    if (!labels.some((label) => label.id === labelId.value)) labelId.value = labels[0]?.id ?? 0;
  }, [bench, labels]);
  const segments = bench.session.tool.value === "segment";
  useEffect(() => {
    if (!segments) return;
    projects.segmenter(project.id).then(
      ({ segmenter }) => (bench.session.answering.value = { ...bench.session.answering.peek(), segmenter }),
      () => undefined,
    );
  }, [bench, project.id, segments]);
  useEffect(() => {
    bench.session.tool.value = "select";
    return () => {
      bench.put(null);
      bench.session.struck.value = new Set();
    };
  }, [bench]);
  return bench;
}

export interface OnBench {
  /** The image that was asked for, once it is there. */
  ready: Ready | null;
  /** What the canvas shows: the image, or the one before until it is there. */
  opened: Opened | null;
  problem: Problem | null;
}

/** Put an image on the bench; until it is decoded the last one stays. */
export function useImage(bench: Bench, imageId: number | null, before: ImageDocument | null = null): OnBench {
  const { ready, problem } = usePicture(bench.pictures, imageId);
  const userId = me.value?.id ?? 0;
  const projectId = bench.project.peek().id;
  const desk = useMemo(() => ready && bench.open(ready, userId), [bench, ready, userId]);
  useLayoutEffect(() => bench.put(desk), [bench, desk]);
  useShapes(bench, imageId, ready !== null);
  const editor = before ? null : bench.editor;
  const labels = bench.labels.value;
  const fresh = useMemo((): Opened | null => {
    if (!ready || !desk) return null;
    const mine = editor?.document === desk.document ? editor : null;
    return {
      picture: ready.picture, document: before ?? desk.document, editor: mine, labels,
      segment: (prompt, signal) => images.segment(projectId, ready.image.id, prompt, signal),
    };
  }, [ready?.picture, desk, editor, before, labels]);
  const last = useRef<Opened | null>(null);
  if (fresh) last.current = fresh;
  return { ready, opened: imageId === null ? null : (fresh ?? last.current), problem };
}

/** Put what was fetched ahead on the bench as soon as somebody turns to it, so that all of it is rendered once. */
export function useTurns(bench: Bench, walk: Pick<Walk, "imageId">): void {
  useLayoutEffect(
    () =>
      effect(() => {
        const { value } = walk.imageId;
        const ready = value === null ? null : bench.pictures.peek(value);
        if (ready) untracked(() => bench.put(bench.open(ready, me.peek()?.id ?? 0)));
      }),
    [bench, walk],
  );
}

/** Have the shapes of an image drawn while its picture is still being decoded. */
function useShapes(bench: Bench, imageId: number | null, there: boolean): void {
  const labels = bench.labels.value;
  useLayoutEffect(() => {
    if (there || imageId === null) return;
    let wanted = true;
    bench.pictures.known(imageId).then(
      ({ image, annotations }) => wanted && bench.stage?.prepare(image, imageId, annotations.annotations, labels),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [bench, imageId, there, labels]);
}

/** Fetch the images that come next, and have the nearest drawn, once the present one is there. */
export function useAhead(bench: Bench, imageId: number | null, ready: Ready | null, next: readonly number[]): void {
  const there = ready !== null;
  const labels = bench.labels.value;
  useEffect(() => {
    if (!there || imageId === null) return;
    let wanted = true;
    const look = (): void => {
      bench.pictures.ahead([imageId, ...next]);
      if (next.length === 0) return;
      bench.pictures.get(next[0]).then(
        ({ picture, annotations }) => wanted && bench.stage?.prepare(picture, next[0], annotations.annotations, labels, picture),
        () => undefined,
      );
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (bench.stage) bench.stage.whenShown(() => wanted && look());
    else timer = setTimeout(look, FIRST_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [bench, imageId, there, next.join(), labels]);
}
