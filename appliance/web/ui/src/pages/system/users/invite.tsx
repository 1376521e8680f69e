import { useState } from "preact/hooks";

import { registration } from "../../../api/system";
import type { GlobalRole, ProjectRole, ProjectRow } from "../../../api/types";
import { useAct } from "../../../app/use";
import { Button, Fault, Field, Select } from "../../../parts/controls";
import { Dialog } from "../../../parts/dialog";
import { Once } from "../../../parts/once";
import { BOX_ROLES } from "./roles";

const LOOPBACK = /^(localhost|127\..*|\[::1\])$/;
const HOUR_S = 3600;
const SPANS: readonly (readonly [string, string])[] = [
  [String(HOUR_S), "an hour"],
  [String(24 * HOUR_S), "a day"],
  [String(7 * 24 * HOUR_S), "a week"],
  [String(30 * 24 * HOUR_S), "30 days"],
];
const IN_PROJECT: readonly (readonly [ProjectRole, string])[] = [
  ["annotator", "annotator"],
  ["reviewer", "reviewer"],
  ["admin", "admin"],
];

/** Make a link that makes one account; it is shown once. */
export function Invite({ projects, onClose, onDone }: { projects: readonly ProjectRow[]; onClose: () => void; onDone: () => void }) {
  const [note, setNote] = useState("");
  const [role, setRole] = useState<GlobalRole>("member");
  const [project, setProject] = useState("");
  const [projectRole, setProjectRole] = useState<ProjectRole>("annotator");
  const [span, setSpan] = useState(String(7 * 24 * HOUR_S));
  const [link, setLink] = useState<string | null>(null);
  const { busy, problem, run } = useAct();
  const invite = async (): Promise<void> => {
    const place = project ? { project_id: Number(project), project_role: projectRole } : {};
    const made = await registration.invite({ note: note.trim(), role, valid_s: Number(span), ...place });
    setLink(location.origin + made.path);
    onDone();
  };
  if (link) {
    return (
      <Once title="Send this link" label="Link" secret={link} onClose={onClose}>
        <p>It makes one account. Send it to {note.trim() || "one person"} only.</p>
        {LOOPBACK.test(location.hostname) && <p>The address in it leads to the box from the box itself only: put its name on the network in.</p>}
      </Once>
    );
  }
  return (
    <Dialog title="Invite" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(invite);
        }}
      >
        <Field label="For whom" autofocus maxLength={200} value={note} onText={setNote} hint="For this list only" />
        <Select label="Project" value={project} options={[["", "none yet"], ...projects.map((one) => [String(one.id), one.name] as const)]} onPick={setProject} />
        {project && <Select label="Role in the project" value={projectRole} options={IN_PROJECT} onPick={(value) => setProjectRole(value as ProjectRole)} />}
        <Select label="Role on the box" value={role} options={BOX_ROLES} onPick={(value) => setRole(value as GlobalRole)} />
        <Select label="Works for" value={span} options={SPANS} onPick={setSpan} />
        <Fault problem={problem} />
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy}>
            Make link
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
