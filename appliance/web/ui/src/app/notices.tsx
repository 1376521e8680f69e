import type { Intent } from "../editor/journal";
import { Button } from "../parts/controls";
import { counted } from "../parts/words";
import type { Outbox, Stranded } from "./outbox";
import { outbox } from "./session";
import { SignInLayer } from "./sign-in-layer";
import "./notices.css";

/** What has to be told whatever page is open: the session ended, the box refused something. */
export function Notices() {
  return (
    <div class="notices">
      <SignInLayer />
      {outbox.value?.returned.value.map((intent) => <Returned key={intent.taskId} intent={intent} box={outbox.value as Outbox} />)}
      {outbox.value?.stranded.value.map((one) => <Lost key={one.kept.place.lane} one={one} box={outbox.value as Outbox} />)}
    </div>
  );
}

function Returned({ intent, box }: { intent: Intent; box: Outbox }) {
  return (
    <section class="notice" role="alert">
      <p>
        <b class="mono">{intent.name}</b> was not {intent.kind === "submit" ? "submitted" : "skipped"}: {intent.refusal}
      </p>
      <div class="actions">
        <a class="button quiet" href={`/projects/${intent.projectId}/annotate?image=${intent.imageId}`} onClick={() => box.dismiss(intent)}>
          Look at it
        </a>
        <Button kind="quiet" onClick={() => box.dismiss(intent)}>
          Dismiss
        </Button>
      </div>
    </section>
  );
}

function Lost({ one, box }: { one: Stranded; box: Outbox }) {
  const n = new Set([...one.kept.unsent.keys(), ...(one.kept.underway?.sent.keys() ?? [])]).size;
  return (
    <section class="notice" role="alert">
      <p>
        {counted(n, "change")} from before cannot go to the box: {one.problem.message}
      </p>
      <div class="actions">
        <Button kind="quiet" onClick={() => box.discard(one)}>
          Discard them
        </Button>
      </div>
    </section>
  );
}
