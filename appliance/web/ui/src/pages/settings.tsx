import { useState } from "preact/hooks";

import { http, projects } from "../api/client";
import { Problem } from "../api/problem";
import type { Label, Member, Page, ProjectRole, ReviewPolicy, User } from "../api/types";
import { mayAdminister, type ProjectPageProps } from "../app/project";
import { go } from "../app/router";
import { session } from "../app/session";
import { useAct, useEvents, useLoad } from "../app/use";
import { Button, Fault, Field, IconButton, Select } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { counted } from "../parts/words";

const ROLES: readonly (readonly [ProjectRole, string])[] = [
  ["annotator", "annotator"],
  ["reviewer", "reviewer"],
  ["admin", "admin"],
];
const POLICIES: readonly (readonly [ReviewPolicy, string])[] = [
  ["none", "No review: submitted is done"],
  ["all", "Every image is reviewed"],
];
const HOTKEYS = ["", ..."1234567890"].map((key) => [key, key || "–"] as const);

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
  const [policy, setPolicy] = useState<ReviewPolicy>(project.review_policy);
  const { busy, problem, run } = useAct();
  const changed = name !== project.name || guideline !== project.guideline || policy !== project.review_policy;
  return (
    <section>
      <h2>Project</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            await projects.change(project.id, { name: name.trim(), guideline, review_policy: policy });
            reload();
          });
        }}
      >
        <Field label="Name" required maxLength={200} value={name} onText={setName} fault={problem?.field === "name" ? problem.message : null} />
        <div class="field">
          <label for="guideline">Guideline</label>
          <textarea id="guideline" class="input" rows={6} value={guideline} onInput={(event) => setGuideline(event.currentTarget.value)} />
        </div>
        <Select label="Review" value={policy} options={POLICIES} onPick={(value) => setPolicy(value as ReviewPolicy)} />
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

function Labels({ project, labels, reload }: ProjectPageProps) {
  const [name, setName] = useState("");
  const [removing, setRemoving] = useState<Label | null>(null);
  const { busy, problem, run } = useAct();
  const change = (label: Label, facts: { name?: string; color?: string; hotkey?: string | null }): void =>
    run(async () => {
      await projects.changeLabel(project.id, label.id, facts);
      reload();
    });
  return (
    <section>
      <h2>Labels</h2>
      <table class="rows labels">
        <tbody>
          {labels.map((label) => (
            <tr key={label.id}>
              <td class="color">
                <input type="color" value={label.color} aria-label={`Colour of ${label.name}`} onChange={(event) => change(label, { color: event.currentTarget.value.toUpperCase() })} />
              </td>
              <td>
                <input
                  class="input"
                  value={label.name}
                  aria-label={`Name of ${label.name}`}
                  onChange={(event) => event.currentTarget.value.trim() && change(label, { name: event.currentTarget.value.trim() })}
                />
              </td>
              <td class="key">
                <Select bare label={`Key of ${label.name}`} value={label.hotkey ?? ""} options={HOTKEYS} onPick={(value) => change(label, { hotkey: value || null })} />
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
      {removing && (
        <RemoveLabel
          projectId={project.id}
          label={removing}
          others={labels.filter((one) => one.id !== removing.id)}
          onClose={() => {
            setRemoving(null);
            reload();
          }}
        />
      )}
    </section>
  );
}

/** Delete a label; one in use asks whether to merge it or to delete its annotations. */
function RemoveLabel(props: { projectId: number; label: Label; others: Label[]; onClose: () => void }) {
  const { projectId, label, others, onClose } = props;
  const [into, setInto] = useState(String(others[0]?.id ?? ""));
  const { busy, problem, run } = useAct();
  const inUse = problem instanceof Problem && problem.status === 409;
  const remove = (how: Parameters<typeof projects.removeLabel>[2]): void =>
    run(async () => {
      await projects.removeLabel(projectId, label.id, how);
      onClose();
    });
  return (
    <Dialog title={`Delete the label ${label.name}?`} onClose={onClose}>
      <Fault problem={problem} />
      {inUse ? (
        <>
          {others.length > 0 && (
            <div class="actions">
              <Select bare label="Merge into" value={into} options={others.map((one) => [String(one.id), one.name])} onPick={setInto} />
              <Button kind="primary" disabled={busy} onClick={() => remove({ merge_into: Number(into) })}>
                Merge
              </Button>
            </div>
          )}
          <div class="actions">
            <Button disabled={busy} onClick={() => remove({ annotations: "delete" })}>
              Delete its annotations
            </Button>
            <Button onClick={onClose}>Cancel</Button>
          </div>
        </>
      ) : (
        <div class="actions">
          <Button kind="primary" disabled={busy} onClick={() => remove({})}>
            Delete
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      )}
    </Dialog>
  );
}

/** Everybody on the box, for those who may see the list; null for others. */
async function everybody(): Promise<User[] | null> {
  try {
    return (await http.get<Page<User>>("/api/users")).items;
  } catch {
    return null;
  }
}

function Members({ project }: ProjectPageProps) {
  const loaded = useLoad(() => projects.members(project.id), [project.id]);
  const users = useLoad(everybody, []);
  const [picked, setPicked] = useState("");
  const [role, setRole] = useState<ProjectRole>("annotator");
  const { busy, problem, run } = useAct();
  useEvents(["member.changed"], project.id, loaded.reload);
  const members = loaded.value ?? [];
  const others = (users.value ?? []).filter((user) => !user.disabled && !members.some((one) => one.user_id === user.id));
  const act = (what: () => Promise<unknown>): void =>
    run(async () => {
      await what();
      loaded.reload();
    });
  const userId = Number(picked || others[0]?.id);
  return (
    <section>
      <h2>Members</h2>
      <table class="rows labels">
        <tbody>
          {members.map((member: Member) => (
            <tr key={member.user_id}>
              <td>
                <b>{member.name}</b>
                <span class="second small">{member.email}</span>
              </td>
              <td class="key">
                <Select bare label={`Role of ${member.name}`} value={member.role} options={ROLES} onPick={(value) => act(() => projects.setMember(project.id, member.user_id, value as ProjectRole))} />
              </td>
              <td class="key">
                <IconButton icon="close" label={`Remove ${member.name}`} onClick={() => act(() => projects.removeMember(project.id, member.user_id))} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Fault problem={problem ?? loaded.problem} />
      {users.value === null ? (
        <form
          class="add"
          onSubmit={(event) => {
            event.preventDefault();
            act(() => projects.addMember(project.id, picked.trim(), role));
          }}
        >
          <Field label="Email of the person to add" value={picked} onText={setPicked} />
          <Select bare label="Role" value={role} options={ROLES} onPick={(value) => setRole(value as ProjectRole)} />
          <Button type="submit" icon="add" disabled={busy || !picked.includes("@")}>
            Add
          </Button>
        </form>
      ) : others.length > 0 ? (
        <div class="actions">
          <Select bare label="User" value={String(userId)} options={others.map((user) => [String(user.id), `${user.name}, ${user.email}`])} onPick={setPicked} />
          <Select bare label="Role" value={role} options={ROLES} onPick={(value) => setRole(value as ProjectRole)} />
          <Button icon="add" disabled={busy} onClick={() => act(() => projects.setMember(project.id, userId, role))}>
            Add
          </Button>
        </div>
      ) : (
        <p class="second">Everybody on this box is a member.</p>
      )}
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
