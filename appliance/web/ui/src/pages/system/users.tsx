import { useState } from "preact/hooks";

import { users } from "../../api/system";
import type { GlobalRole, User } from "../../api/types";
import { me } from "../../app/session";
import { useAct, useEvents, useLoad } from "../../app/use";
import { Button, Fault, Field, Select } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { Once } from "../../parts/once";
import { counted, when } from "../../parts/words";
import { SystemFrame } from "./frame";
import { Registration } from "./users/registration";
import { BOX_ROLES } from "./users/roles";

/** Everybody who may sign in; a new role and disabling act at once. */
export function Users() {
  const loaded = useLoad(users.list, []);
  const [adding, setAdding] = useState(false);
  const [inviting, setInviting] = useState(false);
  const [setting, setSetting] = useState<User | null>(null);
  useEvents(["user.changed"], null, loaded.reload);
  const everybody = loaded.value ?? [];
  const add = (
    <>
      <Button icon="add" onClick={() => setAdding(true)}>
        Add a person
      </Button>
      <Button kind="primary" icon="add" onClick={() => setInviting(true)}>
        Invite
      </Button>
    </>
  );
  return (
    <SystemFrame title="Users" about={loaded.value && counted(everybody.length, "person", "people")} actions={add}>
      <Fault problem={loaded.problem} retry={loaded.reload} />
      <table class="rows">
        <thead>
          <tr>
            <th>Name</th>
            <th>Role on the box</th>
            <th>State</th>
            <th class="number wide-only">Since</th>
            <th aria-label="Actions" />
          </tr>
        </thead>
        <tbody>
          {everybody.map((user) => (
            <Row key={user.id} user={user} reload={loaded.reload} onPassword={() => setSetting(user)} />
          ))}
        </tbody>
      </table>
      <p class="note-line second small">
        Members work in the projects they are added to. Operators also see every project's counts and make exports, without seeing its pictures. Admins may do everything.
      </p>
      <Registration people={everybody} inviting={inviting} onInvited={() => setInviting(false)} />
      {adding && <AddUser onClose={() => setAdding(false)} onDone={loaded.reload} />}
      {setting && <ResetCode user={setting} onClose={() => setSetting(null)} />}
    </SystemFrame>
  );
}

function Row({ user, reload, onPassword }: { user: User; reload: () => void; onPassword: () => void }) {
  const { busy, problem, run } = useAct();
  const own = user.id === me.value?.id;
  const change = (facts: { role?: GlobalRole; disabled?: boolean }): void =>
    run(async () => {
      await users.change(user.id, facts);
      reload();
    });
  return (
    <>
      <tr>
        <td>
          <b>
            {user.name}
            {own && <span class="second"> you</span>}
          </b>
          <span class="second small">{user.email}</span>
        </td>
        <td>
          <Select bare label={`Role of ${user.name}`} value={user.role} options={BOX_ROLES} disabled={busy || own} onPick={(role) => change({ role: role as GlobalRole })} />
        </td>
        <td class="second">{user.disabled ? "disabled, cannot sign in" : "may sign in"}</td>
        <td class="number second nowrap wide-only">{when(user.created_at_ms)}</td>
        <td class="number nowrap">
          {!own && (
            <>
              <Button kind="quiet" disabled={busy} onClick={onPassword}>
                Reset password
              </Button>
              <Button kind="quiet" disabled={busy} onClick={() => change({ disabled: !user.disabled })}>
                {user.disabled ? "Enable" : "Disable"}
              </Button>
            </>
          )}
        </td>
      </tr>
      {problem && (
        <tr class="below">
          <td colSpan={5}>
            <Fault problem={problem} />
          </td>
        </tr>
      )}
    </>
  );
}

function AddUser({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [facts, setFacts] = useState({ email: "", name: "", password: "", role: "member" as GlobalRole });
  const { busy, problem, run } = useAct();
  const fault = (field: string): string | null => (problem?.field === field ? problem.message : null);
  const known = ["email", "name", "password"].includes(problem?.field ?? "");
  const add = async (): Promise<void> => {
    await users.create({ ...facts, email: facts.email.trim(), name: facts.name.trim() });
    onDone();
    onClose();
  };
  return (
    <Dialog title="Add a person" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(add);
        }}
      >
        <Field label="Name" autofocus required maxLength={100} value={facts.name} onText={(name) => setFacts({ ...facts, name })} fault={fault("name")} autocomplete="off" />
        <Field label="Email" type="email" required value={facts.email} onText={(email) => setFacts({ ...facts, email })} fault={fault("email")} autocomplete="off" />
        <Field
          label="First password"
          type="password"
          required
          minLength={12}
          value={facts.password}
          onText={(password) => setFacts({ ...facts, password })}
          hint="12 characters or more. They can change it under Account."
          fault={fault("password")}
          autocomplete="new-password"
        />
        <Select label="Role on the box" value={facts.role} options={BOX_ROLES} onPick={(role) => setFacts({ ...facts, role: role as GlobalRole })} />
        {!known && <Fault problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy}>
            Add
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A forgotten password: a code that its owner sets a new one with. */
function ResetCode({ user, onClose }: { user: User; onClose: () => void }) {
  const [code, setCode] = useState<string | null>(null);
  const { busy, problem, run } = useAct();
  if (code) {
    return (
      <Once title={`Tell ${user.name} this code`} label="Code" secret={code} onClose={onClose}>
        <p>
          It works once, for an hour, at <span class="mono">{location.origin}/reset</span>, with the address {user.email}.
        </p>
      </Once>
    );
  }
  return (
    <Dialog title={`New password for ${user.name}`} onClose={onClose}>
      <p>
        A code lets {user.name} choose a new password within an hour. Until they use it nothing changes; then every session of theirs ends.
      </p>
      <Fault problem={problem} />
      <div class="actions">
        <Button kind="primary" disabled={busy} onClick={() => run(async () => setCode((await users.resetCode(user.id)).code))}>
          Make a code
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </Dialog>
  );
}
