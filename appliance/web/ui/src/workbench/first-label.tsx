import { useEffect, useRef, useState } from "preact/hooks";

import { projects } from "../api/client";
import type { ProjectRow } from "../api/types";
import { mayAdminister } from "../app/project";
import { session } from "../app/session";
import { useAct } from "../app/use";
import { Button, Fault, Field } from "../parts/controls";

/** In the place of the palette while the project has no label: nothing can be drawn before there is one. */
export function FirstLabel({ project }: { project: ProjectRow }) {
  const [name, setName] = useState("");
  const { busy, problem, run } = useAct();
  const form = useRef<HTMLFormElement>(null);
  // Nothing can be done on the canvas yet, so the keys are for this.
  useEffect(() => {
    if (project.labels === 0) form.current?.querySelector("input")?.focus();
  }, [project.labels]);
  if (!mayAdminister(project, session.value?.permissions.administer ?? false)) {
    return <p class="note second">There is no label to draw with yet: ask an admin of the project to add one.</p>;
  }
  const add = async (): Promise<void> => {
    await projects.addLabel(project.id, { name: name.trim() });
  };
  return (
    <form
      ref={form}
      class="first-label"
      onSubmit={(event) => {
        event.preventDefault();
        run(add);
      }}
    >
      <p>What is there to draw? A label names it, and more follow in the <a class="link" href={`/projects/${project.id}/settings`}>settings</a>.</p>
      <div>
        <Field label="First label" maxLength={200} value={name} onText={setName} fault={problem?.field === "name" ? problem.message : null} />
        <Button type="submit" icon="add" disabled={busy || name.trim() === ""}>
          Add
        </Button>
      </div>
      {problem?.field !== "name" && <Fault problem={problem} />}
    </form>
  );
}
