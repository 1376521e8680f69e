import type { ProjectModels } from "../../api/models";
import { Button } from "../../parts/controls";
import { when } from "../../parts/words";
import { title } from "./words";

interface Props {
  turns: ProjectModels;
  busy: boolean;
  may: boolean;
  onBack: () => void;
}

const SHOWN = 6;

/** What the project is labelled with, newest first, and one step back. */
export function Turns({ turns, busy, may, onBack }: Props) {
  const { active, previous, history } = turns;
  return (
    <section>
      <header>
        <h3>Used for auto-labelling</h3>
        <span class="space" />
        <span class={active ? "mono" : "second"}>{active ? title(active) : "no model"}</span>
      </header>
      {history.length > 0 && (
        <ol class="turns">
          {history.slice(0, SHOWN).map((turn) => (
            <li key={turn.id}>
              <span class="mono cut">{turn.model_name ?? "no model"}</span>
              <span class="second small">
                {turn.rolled_back ? "rolled back " : ""}
                {when(turn.at_ms)}
              </span>
            </li>
          ))}
        </ol>
      )}
      {may && previous && (
        <Button icon="undo" disabled={busy} onClick={onBack}>
          Roll back to {title(previous)}
        </Button>
      )}
    </section>
  );
}
