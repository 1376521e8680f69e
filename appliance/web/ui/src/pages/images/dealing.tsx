import { useState } from "preact/hooks";

import { images } from "../../api/client";
import type { QueueOrder } from "../../api/types";
import { PRIORITIES } from "../../app/image-filter";
import { useAct } from "../../app/use";
import { Button, Fault, Select } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { counted } from "../../parts/words";
import { type DialogProps, said, wayBack } from "./bulk";

const SEVERAL = "several";
const LEVELS: readonly (readonly [string, string])[] = [["", "Leave as it is"], ...PRIORITIES.map(([level, word]) => [String(level), word] as const)];
const PLACES: readonly (readonly [string, string])[] = [
  ["", "Leave as it is"],
  ["front", "First in the queue"],
  ["end", "Last in the queue"],
];

/** To one member, to several in turn, or to nobody. */
export function Assign({ projectId, selection, number, members, onClose }: DialogProps) {
  const [picked, setPicked] = useState(String(members[0]?.user_id ?? ""));
  const [people, setPeople] = useState<ReadonlySet<number>>(new Set(members.map((one) => one.user_id)));
  const { busy, problem, run } = useAct();
  const name = members.find((one) => String(one.user_id) === picked)?.name;
  const several = picked === SEVERAL;
  const act = async (): Promise<void> => {
    const outcome = several
      ? await images.share(projectId, selection, [...people])
      : await images.assign(projectId, selection, picked ? Number(picked) : null);
    const words = said(outcome, several ? `dealt out to ${counted(people.size, "person", "people")}` : name ? `assigned to ${name}` : "assigned to nobody");
    onClose({ words, undo: wayBack(projectId, [outcome]) });
  };
  const options: (readonly [string, string])[] = [
    ...members.map((one) => [String(one.user_id), one.name] as const),
    ...(members.length > 1 ? [[SEVERAL, "Several people in turn"] as const] : []),
    ["", "Nobody: free for anybody"],
  ];
  const toggle = (id: number): void => {
    const next = new Set(people);
    if (!next.delete(id)) next.add(id);
    setPeople(next);
  };
  return (
    <Dialog title={`Assign ${counted(number, "image")}`} onClose={() => onClose(null)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(act);
        }}
      >
        <Select label="To" value={picked} options={options} onPick={setPicked} />
        {several && (
          <fieldset class="people">
            <legend>Dealt out in turn to</legend>
            {members.map((one) => (
              <label key={one.user_id} class="line">
                <input type="checkbox" checked={people.has(one.user_id)} onChange={() => toggle(one.user_id)} />
                {one.name}
                <span class="second">{one.role}</span>
              </label>
            ))}
          </fieldset>
        )}
        <p class="second">Nobody else gets assigned images. What somebody else has begun is open again; images in review or done stay as they are.</p>
        <Fault problem={problem} />
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || (several && people.size === 0)}>
            Assign
          </Button>
          <Button onClick={() => onClose(null)}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** How urgent images are, by when they are wanted, and where in the order made by hand they stand. */
export function Plan({ projectId, selection, number, order, onClose }: DialogProps & { order: QueueOrder }) {
  const [priority, setPriority] = useState("");
  const [due, setDue] = useState<string | null>(null);
  const [place, setPlace] = useState("");
  const { busy, problem, run } = useAct();
  const act = async (): Promise<void> => {
    const outcomes = [
      ...(priority ? [await images.prioritise(projectId, selection, Number(priority))] : []),
      ...(due === null ? [] : [await images.due(projectId, selection, endOfDay(due))]),
      ...(place ? [await images.move(projectId, selection, place as "front" | "end")] : []),
    ];
    const most = outcomes.reduce((one, other) => (other.changed > one.changed ? other : one));
    onClose({ words: said(most, "planned"), undo: wayBack(projectId, outcomes) });
  };
  return (
    <Dialog title={`Plan ${counted(number, "image")}`} onClose={() => onClose(null)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(act);
        }}
      >
        <Select label="Priority" value={priority} options={LEVELS} onPick={setPriority} />
        <div class="field">
          <label for="due">Due at the end of</label>
          <div class="line">
            <input id="due" type="date" class="input" value={due ?? ""} onInput={(event) => setDue(event.currentTarget.value || null)} />
            <Button kind="quiet" aria-pressed={due === ""} onClick={() => setDue(due === "" ? null : "")}>
              No date
            </Button>
          </div>
        </div>
        {order === "manual" && <Select label="Place in the queue" value={place} options={PLACES} onPick={setPlace} />}
        <p class="second">Urgent work is handed out first, then what is due first.</p>
        <Fault problem={problem} />
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || (!priority && due === null && !place)}>
            Save
          </Button>
          <Button onClick={() => onClose(null)}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The last moment of a day where the browser is; null for no day. */
function endOfDay(day: string): number | null {
  return day ? new Date(`${day}T23:59:59.999`).getTime() : null;
}
