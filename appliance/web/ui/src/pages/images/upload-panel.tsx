import { type Upload, uploads } from "../../app/uploads";
import { Button, IconButton } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { Progress } from "../../parts/bar";
import { bytes, count, counted } from "../../parts/words";

const SHOWN = 200;

/** What is being sent, file by file: what waits, how far each came, what failed and why. */
export function UploadPanel({ projectId }: { projectId: number }) {
  const mine = uploads.items.value.filter((item) => item.projectId === projectId);
  if (mine.length === 0) return null;
  const failed = mine.filter((item) => item.state === "failed");
  const sending = mine.filter((item) => item.state === "sending");
  const waiting = mine.filter((item) => item.state === "waiting");
  const there = mine.filter((item) => item.state === "there").length;
  const over = sending.length + waiting.length === 0;
  const settled = mine.length - sending.length - waiting.length;
  return (
    <section class="uploads" aria-label="Upload">
      <header>
        <b>{over ? `Upload finished` : `Upload ${count(settled)} of ${count(mine.length)}`}</b>
        <span class="second" role="status">
          {over && `${counted(mine.length - failed.length - there, "image")} added`}
          {there > 0 && `${over ? ", " : ""}${count(there)} here already`}
          {failed.length > 0 && `${over || there > 0 ? ", " : ""}${count(failed.length)} failed`}
        </span>
        <span class="space" />
        {failed.length > 0 && (
          <Button kind="quiet" icon="retry" onClick={() => uploads.retry(new Set(failed.map((item) => item.id)))}>
            Retry failed
          </Button>
        )}
        {over && <IconButton icon="close" label="Close" onClick={() => uploads.clear()} />}
      </header>
      {(failed.length > 0 || !over) && (
        <ul>
          {[...failed, ...sending, ...waiting].slice(0, SHOWN).map((item) => (
            <Row key={item.id} item={item} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ item }: { item: Upload }) {
  return (
    <li>
      <span class="mono cut">{item.name}</span>
      {item.state === "sending" && <Progress done={item.sent} total={1} label={item.name} />}
      {item.state === "sending" && <span class="second small">{Math.round(item.sent * 100)} % of {bytes(item.file.size)}</span>}
      {item.state === "waiting" && <span class="second small">waiting, {bytes(item.file.size)}</span>}
      {item.state === "failed" && (
        <>
          <span class="small why" role="alert">
            <Icon name="warn" />
            {item.problem?.message}
          </span>
          <Button kind="quiet" onClick={() => uploads.retry(new Set([item.id]))}>
            Retry
          </Button>
        </>
      )}
    </li>
  );
}
