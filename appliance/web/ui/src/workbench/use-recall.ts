import { useEffect } from "preact/hooks";

import type { ImageWithTask } from "../api/types";
import { recall } from "../app/recall";
import { session } from "../app/session";
import { whenIdle } from "../app/when-idle";
import type { Ready } from "../editor/pictures";
import type { Bench } from "./bench";

/** Keep what is on the bench as the box has it, so that a reload opens it while the box is away. */
export function useRecall(bench: Bench, ready: Ready | null): void {
  const desk = bench.desk.value;
  const revision = bench.revision;
  const [project, labels] = [bench.project.value, bench.labels.value];
  useEffect(() => {
    if (!ready || desk?.imageId !== ready.image.id) return;
    return whenIdle(() => {
      const present = session.peek();
      const image = ready.image as ImageWithTask;
      if (present) void recall.keep({ session: present, project, labels, image, held: desk.saver.held });
    });
  }, [ready?.image, desk, revision, project, labels]);
}
