import { useState } from "preact/hooks";

import { projects } from "../../../api/client";
import { type Invitation, registration } from "../../../api/system";
import type { Door, User } from "../../../api/types";
import { useAct, useEvents, useLoad } from "../../../app/use";
import { Button, Fault, Select } from "../../../parts/controls";
import { ahead, when } from "../../../parts/words";
import { Invite } from "./invite";

const DOORS: readonly (readonly [Door, string])[] = [
  ["invite", "who is invited"],
  ["open", "anybody who reaches the box"],
  ["closed", "nobody"],
];

interface Props {
  people: readonly User[];
  inviting: boolean;
  onInvited: () => void;
}

/** Who may register, and the invitations that are about. */
export function Registration({ people, inviting, onInvited }: Props) {
  const door = useLoad(registration.door, []);
  const loaded = useLoad(registration.invitations, []);
  const known = useLoad(projects.list, []);
  const { busy, problem, run } = useAct();
  const [nowMs] = useState(Date.now);
  useEvents(["invitation.changed"], null, loaded.reload);
  useEvents(["registration.changed"], null, door.reload);
  const name = (id: number | null): string => (known.value ?? []).find((one) => one.id === id)?.name ?? `project ${id}`;
  const who = (id: number | null): string => people.find((one) => one.id === id)?.name ?? "somebody";
  const act = (what: () => Promise<unknown>, then: () => void): void =>
    run(async () => {
      await what();
      then();
    });
  return (
    <section aria-label="Registration">
      <header>
        <h2>Registration</h2>
        <span class="second">Accounts are made by</span>
        {door.value && <Select bare label="Who may register" value={door.value} options={DOORS} disabled={busy} onPick={(value) => act(() => registration.setDoor(value as Door), door.reload)} />}
      </header>
      <Fault problem={problem ?? door.problem ?? loaded.problem} />
      {door.value === "closed" && (loaded.value ?? []).some((one) => open(one, nowMs)) && <p class="second">Invitations do not work while nobody may register.</p>}
      {loaded.value?.length === 0 && <p class="second">No invitation yet.</p>}
      <table class="rows">
        <tbody>
          {(loaded.value ?? []).map((one) => (
            <tr key={one.id}>
              <td>
                <b>{one.note || "Invitation"}</b>
                <span class="second small">{[one.project_id !== null && `${one.project_role} in ${name(one.project_id)}`, one.role !== "member" && `${one.role} of the box`].filter(Boolean).join(", ") || "member"}</span>
              </td>
              <td class="second">
                {one.used_at_ms ? `used by ${who(one.used_by)} ${when(one.used_at_ms)}` : open(one, nowMs) ? `open, ends ${ahead(one.expires_at_ms, nowMs)}` : "ended unused"}
              </td>
              <td class="second wide-only">made {when(one.created_at_ms)} by {who(one.created_by)}</td>
              <td class="number nowrap">
                {open(one, nowMs) && (
                  <Button kind="quiet" disabled={busy} onClick={() => act(() => registration.revoke(one.id), loaded.reload)}>
                    Revoke
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {inviting && <Invite projects={known.value ?? []} onClose={onInvited} onDone={loaded.reload} />}
    </section>
  );
}

const open = (one: Invitation, nowMs: number): boolean => one.used_at_ms === null && one.expires_at_ms > nowMs;
