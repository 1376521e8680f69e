import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import type { Halt } from "../../app/uploads/queue";
import type { Transfer } from "../../app/uploads/transfer";
import { type Dataset, nameOf, uploads } from "../../app/uploads/uploads";
import { Progress } from "../../parts/bar";
import { Button, IconButton } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { bytes, count, counted, span } from "../../parts/words";
import { DatasetPreview } from "./dataset-preview";
import "./uploads.css";

const SHOWN = 100;
const HALTED: Record<Halt, string> = {
  offline: "The box does not answer. Everything waits here and goes on by itself.",
  "signed-out": "Sign in again to go on.",
  full: "The disk of the box is full: delete images or exports, then go on.",
  paused: "Paused.",
};

/** What is being sent: how far it came, what failed and why, what waits for a decision. */
export function UploadPanel({ projectId, mayAdminister }: { projectId: number; mayAdminister: boolean }) {
  const [shown, setShown] = useState<Transfer | null>(null);
  const [closed, setClosed] = useState<ReadonlySet<Transfer>>(new Set());
  const group = uploads.queue.seen.value.group(projectId);
  const datasets = uploads.datasets.value.filter(({ transfer }) => transfer.projectId === projectId);
  if (group.all.size === 0) return null;
  const decided = (one: Dataset) => one.preview !== null && one.problem === null;
  const asked =
    datasets.find(({ transfer }) => transfer === shown) ?? datasets.find((one) => decided(one) && !closed.has(one.transfer));
  const failed = group.some("failed", SHOWN);
  const lost = group.some("lost", SHOWN);
  const sending = group.some("sending", SHOWN);
  return (
    <section class="uploads" aria-label="Upload">
      <Summary projectId={projectId} />
      {(datasets.length > 0 || failed.length + lost.length + sending.length > 0) && (
        <ul>
          {failed.map((item) => (
            <FailedRow key={item.id} item={item} />
          ))}
          {datasets.map((one) => (
            <DatasetRow key={one.transfer.id} dataset={one} onLook={() => setShown(one.transfer)} />
          ))}
          {lost.map((item) => (
            <Row key={item.id} name={item.name}>
              <span class="second small">Choose this file again to go on, {bytes(item.size)}</span>
            </Row>
          ))}
          {sending.map((item) => (
            <Row key={item.id} name={item.name}>
              <Progress done={item.sentBytes} total={item.size} label={item.name} />
              <span class="second small">
                {bytes(item.sentBytes)} of {bytes(item.size)}
              </span>
            </Row>
          ))}
          {group.count("failed") > failed.length && <More words={`${count(group.count("failed") - SHOWN)} more failed`} />}
        </ul>
      )}
      {asked && decided(asked) && (
        <DatasetPreview
          dataset={asked}
          mayAdminister={mayAdminister}
          onClose={() => {
            setShown(null);
            setClosed(new Set([...closed, asked.transfer]));
          }}
        />
      )}
    </section>
  );
}

function Summary({ projectId }: { projectId: number }) {
  const group = uploads.queue.seen.value.group(projectId);
  const halt = uploads.queue.halt.value;
  const open = group.count("waiting", "sending");
  const [failed, lost, there] = [group.count("failed"), group.count("lost"), group.count("there")];
  const settled = group.all.size - open - lost;
  const ready = group.count("ready");
  const over = open + lost + ready === 0;
  const left = group.leftMs;
  const moving = open > 0 && halt === null;
  const facts = over
    ? [group.count("done") > 0 && `${counted(group.count("done"), "image")} added`]
    : [
        moving && group.rate > 0 && `${bytes(group.rate)}/s`,
        moving && left !== null && `${span(Math.max(1000, left))} left`,
      ];
  const words = [...facts, there > 0 && `${count(there)} here already`, failed > 0 && `${count(failed)} failed`];
  return (
    <header>
      <b>{over ? "Upload finished" : `${count(settled)} of ${count(group.all.size)}`}</b>
      {ready > 0 && <span class="second">{ready === 1 ? "1 dataset waits" : `${count(ready)} datasets wait`}</span>}
      <span class="second" role="status">
        {words.filter(Boolean).join(over ? ", " : " · ")}
      </span>
      {halt && open > 0 && (
        <span class="why small" role="alert">
          <Icon name={halt === "paused" ? "pause" : "warn"} />
          {HALTED[halt]}
        </span>
      )}
      {lost > 0 && <span class="second small">{counted(lost, "file")} to choose again</span>}
      <span class="space" />
      {failed > 0 && (
        <Button kind="quiet" icon="retry" onClick={() => uploads.retry(group.each("failed"))}>
          Retry all
        </Button>
      )}
      {open > 0 && halt === null && (
        <Button kind="quiet" icon="pause" onClick={() => uploads.queue.pause()}>
          Pause
        </Button>
      )}
      {open > 0 && (halt === "paused" || halt === "full") && (
        <Button kind="quiet" icon="play" onClick={() => uploads.queue.go()}>
          Go on
        </Button>
      )}
      {open + lost > 0 && (
        <Button kind="quiet" onClick={() => uploads.drop([...group.each("waiting"), ...group.each("sending"), ...group.each("lost")])}>
          Cancel {open > 0 ? "the rest" : ""}
        </Button>
      )}
      {over && group.count("done") > 0 && (
        <a class="button quiet" href={`/projects/${projectId}/annotate`}>
          Begin annotating
        </a>
      )}
      {over && <IconButton icon="close" label="Close" onClick={() => uploads.clear(projectId)} />}
    </header>
  );
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <li>
      <span class="mono cut" title={name}>
        {name}
      </span>
      {children}
    </li>
  );
}

function More({ words }: { words: string }) {
  return (
    <li>
      <span class="second small">{words}</span>
    </li>
  );
}

/** What is wrong, without the file's name: the row begins with that. */
function cause(message: string, name: string): string {
  const own = name.split("/").pop() ?? name;
  if (!message.startsWith(`${own} `)) return message;
  const rest = message.slice(own.length + 1);
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

function FailedRow({ item }: { item: Transfer }) {
  return (
    <Row name={item.name}>
      <span class="small why">
        <Icon name="warn" />
        {item.problem && cause(item.problem.message, item.name)}
      </span>
      <Button kind="quiet" onClick={() => uploads.retry([item])}>
        Retry
      </Button>
    </Row>
  );
}

function DatasetRow({ dataset, onLook }: { dataset: Dataset; onLook: () => void }) {
  const { transfer, preview, problem } = dataset;
  return (
    <Row name={nameOf(dataset)}>
      {problem ? (
        <span class="small why" role="alert">
          <Icon name="warn" />
          {problem.message}
        </span>
      ) : (
        <span class="second small">{preview ? `${preview.title}, waits for your decision` : "Looking what is in it"}</span>
      )}
      <span class="buttons">
        {problem?.transient && (
          <Button kind="quiet" onClick={() => void uploads.look(transfer)}>
            Try again
          </Button>
        )}
        {preview && !problem && (
          <Button kind="quiet" onClick={onLook}>
            Look
          </Button>
        )}
        <Button kind="quiet" onClick={() => uploads.drop([transfer])}>
          Cancel
        </Button>
      </span>
    </Row>
  );
}
