import { useState } from "preact/hooks";

import { users } from "../../api/system";
import type { GlobalRole, User } from "../../api/types";
import { me } from "../../app/session";
import { useAct, useEvents, useLoad } from "../../app/use";
import { Button, Fault, Field, Select } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { counted, when } from "../../parts/words";
import { SystemFrame } from "./frame";

const ROLES: readonly (readonly [GlobalRole, string])[] = [
  ["member", "member"],
  ["operator", "operator"],
  ["admin", "admin"],
];

/** Everybody who may sign in; a new role and disabling act at once. */
export function Users() {
  const loaded = useLoad(users.list, []);
  const [adding, setAdding] = useState(false);
  const [setting, setSetting] = useState<User | null>(null);
  useEvents(["user.changed"], null, loaded.reload);
  const everybody = loaded.value ?? [];
  const add = (
    <Button kind="primary" icon="add" onClick={() => setAdding(true)}>
      Add a person
    </Button>
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
        Members work in the projects they are added to. Operators also see every project's counts and make exports, without seeing its pictures. Admins may everything.
      </p>
      {adding && <AddUser onClose={() => setAdding(false)} onDone={loaded.reload} />}
      {setting && <SetPassword user={setting} onClose={() => setSetting(null)} />}
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
          <Select bare label={`Role of ${user.name}`} value={user.role} options={ROLES} disabled={busy || own} onPick={(role) => change({ role: role as GlobalRole })} />
        </td>
        <td class="second">{user.disabled ? "disabled, cannot sign in" : "may sign in"}</td>
        <td class="number second nowrap wide-only">{when(user.created_at_ms)}</td>
        <td class="number nowrap">
          {!own && (
            <>
              <Button kind="quiet" disabled={busy} onClick={onPassword}>
                Set password
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
        <Select label="Role on the box" value={facts.role} options={ROLES} onPick={(role) => setFacts({ ...facts, role: role as GlobalRole })} />
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

function SetPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useAct();
  const set = async (): Promise<void> => {
    await users.change(user.id, { password });
    onClose();
  };
  return (
    <Dialog title={`Set the password of ${user.name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(set);
        }}
      >
        <p class="second">It ends every session of theirs at once.</p>
        <Field label="New password" type="password" autofocus required minLength={12} value={password} onText={setPassword} fault={problem?.field === "password" ? problem.message : null} autocomplete="new-password" />
        {problem?.field !== "password" && <Fault problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy}>
            Set password
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
