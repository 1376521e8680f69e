import { useState } from "preact/hooks";

import { projects } from "../../api/client";
import type { Label } from "../../api/types";
import type { ProjectPageProps } from "../../app/project";
import { useAct } from "../../app/use";
import { Button, Fault, Field, IconButton, Swatch } from "../../parts/controls";
import { counted } from "../../parts/words";
import { LabelEditor } from "./label-editor";
import { RemoveLabel } from "./remove-label";

/** The classes of the project: one row each, edited in a dialog. */
export function Labels({ project, labels, reload }: ProjectPageProps) {
  const [name, setName] = useState("");
  const [editing, setEditing] = useState<Label | null>(null);
  const [removing, setRemoving] = useState<Label | null>(null);
  const { busy, problem, run } = useAct();
  const close = (): void => {
    setEditing(null);
    setRemoving(null);
    reload();
  };
  return (
    <section>
      <h2>Labels</h2>
      {labels.length === 0 && <p class="second">No label yet: a label is what a shape on an image is called.</p>}
      <table class="rows label-rows">
        <tbody>
          {labels.map((label, i) => (
            <tr key={label.id}>
              <td class="key">
                <kbd>{label.hotkey ?? (i < 10 ? (i + 1) % 10 : "")}</kbd>
              </td>
              <td>
                <button class="row-button" onClick={() => setEditing(label)} aria-label={`Edit ${label.name}`}>
                  <Swatch color={label.color} />
                  <b class="cut">{label.name}</b>
                  <span class="second small cut">{extras(label)}</span>
                </button>
              </td>
              <td class="key">
                <IconButton icon="trash" label={`Delete ${label.name}`} onClick={() => setRemoving(label)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <form
        class="add"
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            await projects.addLabel(project.id, { name: name.trim() });
            setName("");
            reload();
          });
        }}
      >
        <Field label="New label" value={name} maxLength={200} onText={setName} fault={problem?.field === "name" ? problem.message : null} />
        <Button type="submit" icon="add" disabled={busy || name.trim() === ""}>
          Add
        </Button>
      </form>
      {problem?.field !== "name" && <Fault problem={problem} />}
      {editing && <LabelEditor label={editing} labels={labels} onClose={close} />}
      {removing && (
        <RemoveLabel projectId={project.id} label={removing} others={labels.filter((one) => one.id !== removing.id)} onClose={close} />
      )}
    </section>
  );
}

/** "2 attributes, skeleton of 17 points", or nothing. */
function extras({ attributes, skeleton }: Label): string {
  const parts = [];
  if (attributes.length > 0) parts.push(counted(attributes.length, "attribute"));
  if (skeleton) parts.push(`skeleton of ${counted(skeleton.points.length, "point")}`);
  return parts.join(", ");
}
