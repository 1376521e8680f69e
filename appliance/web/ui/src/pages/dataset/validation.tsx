import { useState } from "preact/hooks";

import { machine } from "../../api/client";
import { type Problem, toProblem } from "../../api/problem";
import type { Page, ProjectRow, ValidationProblem } from "../../api/types";
import { go } from "../../app/router";
import { useEvents, useLoad } from "../../app/use";
import { Button, Fault } from "../../parts/controls";
import { count, counted, when } from "../../parts/words";

const WORDS: Record<string, string> = {
  "malformed": "broken shape",
  "too-few-points": "too few points",
  "too-many-points": "too many points",
  "not-finite": "not a number",
  "outside": "outside the image",
  "no-area": "no area",
  "self-crossing": "crosses itself",
  "unknown-label": "label is gone",
  "missing-attribute": "attribute missing",
  "wrong-attribute": "wrong attribute",
  "unfinished-review": "review not finished",
};

/** Why the last snapshot of approved work was refused: each row leads to the fault. */
export function Validation({ project }: { project: ProjectRow }) {
  const found = useLoad(() => machine.validation(project.id), [project.id]);
  const [more, setMore] = useState<Page<ValidationProblem> | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const first = useLoad(() => (found.value ? machine.problems(project.id) : Promise.resolve({ items: [], next: null })), [project.id, found.value]);
  useEvents(["validation.changed"], project.id, () => {
    setMore(null);
    found.reload();
  });
  const { value } = found;
  if (!value) return <Fault problem={found.problem} retry={found.reload} />;
  const items = [...(first.value?.items ?? []), ...(more?.items ?? [])];
  const next = more ? more.next : (first.value?.next ?? null);
  const ask = (): void => {
    machine.problems(project.id, next).then(
      (page) => setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next }),
      (error: unknown) => setProblem(toProblem(error)),
    );
  };
  return (
    <section aria-labelledby="validation">
      <h2 id="validation">To correct before a snapshot</h2>
      <p class="second">
        “{value.name}” was not made {when(value.at_ms)}: {counted(value.problems, "problem")} in {counted(value.images, "approved image")}:{" "}
        {Object.entries(value.counts).map(([code, n]) => `${WORDS[code] ?? code} ${count(n)}`).join(", ")}. Make it again when they are corrected.
      </p>
      <Fault problem={first.problem ?? problem} />
      <table class="rows">
        <thead>
          <tr>
            <th>Image</th>
            <th>Problem</th>
            <th class="wide-only">What it is</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.number}>
              <td class="mono">
                <a class="link cut" href={linkOf(project.id, one)}>
                  {one.image}
                </a>
              </td>
              <td>{WORDS[one.code] ?? one.code}</td>
              <td class="second wide-only">{one.words}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {next && (
        <Button kind="quiet" onClick={ask}>
          {count(Math.max(value.problems - items.length, 1))} more
        </Button>
      )}
      {items.length > 0 && <Button onClick={() => go(linkOf(project.id, items[0]))}>Correct the first</Button>}
    </section>
  );
}

const linkOf = (projectId: number, { image_id, annotation_id }: ValidationProblem): string =>
  `/projects/${projectId}/annotate?image=${image_id}${annotation_id ? `&select=${annotation_id}` : ""}`;
