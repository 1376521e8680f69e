import { useState } from "preact/hooks";

import { http, projects } from "../../api/client";
import type { Member, Page, ProjectRole, User } from "../../api/types";
import type { ProjectPageProps } from "../../app/project";
import { session } from "../../app/session";
import { useAct, useEvents, useLoad } from "../../app/use";
import { Button, Fault, Field, IconButton, Select } from "../../parts/controls";

const ROLES: readonly (readonly [ProjectRole, string])[] = [
  ["annotator", "annotator"],
  ["reviewer", "reviewer"],
  ["admin", "admin"],
];

/** Everybody on the box, for the box's admins; others add people by email. */
async function everybody(): Promise<User[] | null> {
  if (!session.value?.permissions.administer) return null;
  return (await http.get<Page<User>>("/api/users")).items;
}

export function Members({ project }: ProjectPageProps) {
  const loaded = useLoad(() => projects.members(project.id), [project.id]);
  const users = useLoad(everybody, []);
  const { busy, problem, run } = useAct();
  useEvents(["member.changed"], project.id, loaded.reload);
  const members = loaded.value ?? [];
  const act = (what: () => Promise<unknown>): void =>
    run(async () => {
      await what();
      loaded.reload();
    });
  return (
    <section>
      <h2>Members</h2>
      <table class="rows labels">
        <tbody>
          {members.map((member) => (
            <Row key={member.user_id} member={member} onRole={(role) => act(() => projects.setMember(project.id, member.user_id, role))} onRemove={() => act(() => projects.removeMember(project.id, member.user_id))} />
          ))}
        </tbody>
      </table>
      <Fault problem={problem ?? loaded.problem ?? users.problem} />
      {users.value === null ? (
        <AddByEmail busy={busy} onAdd={(email, role) => act(() => projects.addMember(project.id, email, role))} />
      ) : (
        <AddKnown
          busy={busy}
          users={users.value.filter((user) => !user.disabled && !members.some((one) => one.user_id === user.id))}
          onAdd={(userId, role) => act(() => projects.setMember(project.id, userId, role))}
        />
      )}
    </section>
  );
}

function Row({ member, onRole, onRemove }: { member: Member; onRole: (role: ProjectRole) => void; onRemove: () => void }) {
  return (
    <tr>
      <td>
        <b>{member.name}</b>
        <span class="second small">{member.email}</span>
      </td>
      <td class="key">
        <Select bare label={`Role of ${member.name}`} value={member.role} options={ROLES} onPick={(value) => onRole(value as ProjectRole)} />
      </td>
      <td class="key">
        <IconButton icon="close" label={`Remove ${member.name}`} onClick={onRemove} />
      </td>
    </tr>
  );
}

function AddByEmail({ busy, onAdd }: { busy: boolean; onAdd: (email: string, role: ProjectRole) => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<ProjectRole>("annotator");
  return (
    <form
      class="add"
      onSubmit={(event) => {
        event.preventDefault();
        onAdd(email.trim(), role);
        setEmail("");
      }}
    >
      <Field label="Email of the person to add" value={email} onText={setEmail} />
      <Select bare label="Role" value={role} options={ROLES} onPick={(value) => setRole(value as ProjectRole)} />
      <Button type="submit" icon="add" disabled={busy || !email.includes("@")}>
        Add
      </Button>
    </form>
  );
}

function AddKnown(props: { busy: boolean; users: readonly User[]; onAdd: (userId: number, role: ProjectRole) => void }) {
  const { busy, users, onAdd } = props;
  const [picked, setPicked] = useState("");
  const [role, setRole] = useState<ProjectRole>("annotator");
  const user = users.find((one) => String(one.id) === picked) ?? users[0];
  if (!user) return <p class="second">Everybody on this box is a member.</p>;
  return (
    <div class="actions">
      <Select bare label="User" value={String(user.id)} options={users.map((one) => [String(one.id), `${one.name}, ${one.email}`])} onPick={setPicked} />
      <Select bare label="Role" value={role} options={ROLES} onPick={(value) => setRole(value as ProjectRole)} />
      <Button icon="add" disabled={busy} onClick={() => onAdd(user.id, role)}>
        Add
      </Button>
    </div>
  );
}
