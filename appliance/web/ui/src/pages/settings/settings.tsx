import { useState } from "preact/hooks";

import "../settings.css";

import { projects } from "../../api/client";
import { mayAdminister, type ProjectPageProps } from "../../app/project";
import { go } from "../../app/router";
import { session } from "../../app/session";
import { useAct } from "../../app/use";
import { Button, Fault, Field } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { counted } from "../../parts/words";
import { Assist } from "./assist";
import { Labels } from "./labels";
import { Members } from "./members";
import { Review } from "./review";

export function Settings(props: ProjectPageProps) {
  const may = mayAdminister(props.project, session.value?.permissions.administer ?? false);
  return (
    <div class="page">
      <main class="sheet">
        <header>
          <h1>Settings</h1>
          {!may && <span class="second">Only an admin of the project can change these.</span>}
        </header>
        <fieldset disabled={!may} class="settings">
          <General {...props} />
          <Labels {...props} />
          <Review {...props} />
          <Assist {...props} />
          <Members {...props} />
          <Remove {...props} />
        </fieldset>
      </main>
    </div>
  );
}

function General({ project, reload }: ProjectPageProps) {
  const [name, setName] = useState(project.name);
  const [guideline, setGuideline] = useState(project.guideline);
  const { busy, problem, run } = useAct();
  const changed = name !== project.name || guideline !== project.guideline;
  return (
    <section>
      <h2>Project</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            await projects.change(project.id, { name: name.trim(), guideline });
            reload();
          });
        }}
      >
        <Field label="Name" required maxLength={200} value={name} onText={setName} fault={problem?.field === "name" ? problem.message : null} />
        <div class="field">
          <label for="guideline">Guideline</label>
          <textarea id="guideline" class="input" rows={6} value={guideline} onInput={(event) => setGuideline(event.currentTarget.value)} />
        </div>
        {problem?.field !== "name" && <Fault problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || !changed}>
            Save
          </Button>
        </div>
      </form>
    </section>
  );
}

function Remove({ project }: ProjectPageProps) {
  const [asking, setAsking] = useState(false);
  const [typed, setTyped] = useState("");
  const { busy, problem, run } = useAct();
  return (
    <section>
      <h2>Delete the project</h2>
      <p class="second">{counted(project.images, "image")} with their annotations, snapshots and history go with it.</p>
      <div class="actions">
        <Button icon="trash" onClick={() => setAsking(true)}>
          Delete project
        </Button>
      </div>
      {asking && (
        <Dialog title={`Delete ${project.name}?`} onClose={() => setAsking(false)}>
          <Field label={`Type ${project.name} to confirm`} autofocus value={typed} onText={setTyped} />
          <Fault problem={problem} />
          <div class="actions">
            <Button
              kind="primary"
              disabled={busy || typed.trim() !== project.name}
              onClick={() =>
                run(async () => {
                  await projects.remove(project.id);
                  go("/");
                })
              }
            >
              Delete for good
            </Button>
            <Button onClick={() => setAsking(false)}>Cancel</Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
