import { useEffect, useRef, useState } from "preact/hooks";

import { comments, projects } from "../api/client";
import type { Comment, Member } from "../api/types";
import { calm } from "../app/calm";
import { hint } from "../app/keys";
import { mayReview } from "../app/project";
import { me, outbox, session } from "../app/session";
import { useEvents, useLoad } from "../app/use";
import type { Remark } from "../editor/journal";
import { Button, Fault, IconButton } from "../parts/controls";
import { Icon } from "../parts/icon";
import { when } from "../parts/words";
import type { Bench } from "./bench";
import { openThread } from "./pins";
import { type Standing, standingOf, type Talked } from "./talk";
import "./comments.css";

const WORDS: Record<Standing, string> = { open: "open", answered: "answered", resolved: "resolved", unsent: "not sent yet" };

/** What people say about the image: its threads, and what is being written. */
export function Comments({ bench }: { bench: Bench }) {
  const { talk } = bench;
  const project = bench.project.value;
  const imageId = bench.desk.value?.imageId ?? null;
  const [resolved, setResolved] = useState(false);
  const list = talk.list.value;
  const waiting = talk.waiting.value;
  const writing = talk.begun.value;
  const members = useLoad(() => (list.length > 0 || writing ? projects.members(project.id) : Promise.resolve([])), [project.id, list.length > 0 || writing !== null]);
  useEffect(() => void calm.then(() => talk.reload()), [talk, project.id, imageId]);
  useEvents(["comment.changed"], project.id, () => void talk.reload());
  const said = outbox.value?.said.value ?? null;
  useEffect(() => talk.take(said), [talk, said]);
  const shown = resolved ? list : list.filter((one) => standingOf(one) !== "resolved" || talk.open.value === one.key);
  const hidden = list.length - waiting.length;
  return (
    <section class="comments" aria-label="Comments">
      <header>
        <b>{waiting.length > 0 ? `Comments ${waiting.length}` : "Comments"}</b>
        {talk.unread.value > 0 && <span class="unread-count">{talk.unread.value} unread</span>}
        <span class="space" />
        {hidden > 0 && (
          <Button kind="quiet" aria-pressed={resolved} onClick={() => setResolved(!resolved)}>
            {resolved ? "Hide resolved" : `${hidden} resolved`}
          </Button>
        )}
        <IconButton icon="comment" label="Comment" hint={hint("comment")} disabled={imageId === null} onClick={() => (talk.placing.value = true)} />
      </header>
      <Fault problem={talk.problem.value} />
      {list.length === 0 && !writing && <p class="note second by-thumb">Nobody has said anything about this image.</p>}
      {writing && <Begun bench={bench} members={members.value ?? []} />}
      {shown.length > 0 && (
        <ol class="threads">
          {shown.map((one) => (
            <ThreadRow key={one.key} one={one} bench={bench} members={members.value ?? []} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Begun({ bench, members }: { bench: Bench; members: readonly Member[] }) {
  const { talk } = bench;
  const pin = talk.begun.value?.pin ?? null;
  return (
    <div class="begun-thread">
      <p class="second small">{about(bench, pin?.annotation_id ?? null, pin)}</p>
      <Composer label="Comment" send="Comment" members={members} onSend={(text) => talk.say(text, null)} onCancel={() => (talk.begun.value = null)} />
    </div>
  );
}

/** "On bolt", "At 120, 88", "About the whole image". */
function about(bench: Bench, annotationId: string | null, at: { x: number; y: number } | null): string {
  const one = annotationId === null ? undefined : bench.annotations.value.find(({ id }) => id === annotationId);
  if (one) return `On ${bench.labels.value.find(({ id }) => id === one.label_id)?.name ?? "an object"}`;
  return at ? `At ${Math.round(at.x)}, ${Math.round(at.y)}` : "About the whole image";
}

interface RowProps {
  one: Talked;
  bench: Bench;
  members: readonly Member[];
}

function ThreadRow({ one, bench, members }: RowProps) {
  const { talk } = bench;
  const { thread } = one;
  const open = talk.open.value === one.key;
  const standing = standingOf(one);
  const element = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) element.current?.scrollIntoView({ block: "nearest" });
  }, [open, thread?.comments.length]);
  const first = thread?.comments.find((comment) => comment.deleted_at_ms === null);
  const by = thread ? (first?.author ?? "Former member") : (me.value?.name ?? "");
  return (
    <li class={`thread ${standing} ${open ? "on" : ""}`} ref={element}>
      <button class="thread-head" aria-expanded={open} onClick={() => openThread(bench, one)}>
        <span class="pin-mark">{standing === "resolved" ? "✓" : one.number}</span>
        <span class="cut">
          <b>{by}</b> {first?.text ?? one.pending[0]?.comment.text ?? ""}
        </span>
        <span class="space" />
        <span class="second small nowrap">{(thread?.unread ?? 0) > 0 ? `${thread?.unread} unread` : WORDS[standing]}</span>
      </button>
      {open && <Opened one={one} bench={bench} members={members} />}
    </li>
  );
}

function Opened({ one, bench, members }: RowProps) {
  const { talk } = bench;
  const { thread } = one;
  const mine = me.value?.id ?? 0;
  const may = thread !== null && (thread.author_id === mine || mayReview(bench.project.value, session.value?.permissions.administer ?? false));
  const place = one.x === null || one.y === null ? null : { x: one.x, y: one.y };
  const gone = thread?.gone ?? false;
  return (
    <div class="thread-body">
      <p class="second small">
        {gone && place ? `What it was pinned to is deleted: it was at ${Math.round(place.x)}, ${Math.round(place.y)}` : about(bench, one.annotationId, place)}
        {thread?.resolved_at_ms ? ` · resolved by ${thread.resolver ?? "a former member"}, ${when(thread.resolved_at_ms)}` : ""}
      </p>
      <ul>
        {thread?.comments.map((comment) => <Said key={comment.id} comment={comment} own={comment.author_id === mine} bench={bench} />)}
        {one.pending.map((remark) => <Pending key={remark.comment.key} remark={remark} />)}
      </ul>
      <Composer label={`Reply to comment ${one.number}`} send="Reply" members={members} onSend={(text) => talk.say(text, one)}>
        {thread && standingOf(one) === "open" && thread.author_id !== mine && (
          <Button onClick={() => talk.say("Fixed.", one)}>Fixed</Button>
        )}
        {may && (
          <Button onClick={() => void talk.act((id) => (thread.resolved_at_ms === null ? comments.resolve(id, thread.id) : comments.reopen(id, thread.id)))}>
            {thread.resolved_at_ms === null ? "Resolve" : "Reopen"}
          </Button>
        )}
      </Composer>
    </div>
  );
}

function Said({ comment, own, bench }: { comment: Comment; own: boolean; bench: Bench }) {
  const { talk } = bench;
  const [editing, setEditing] = useState(false);
  const gone = comment.deleted_at_ms !== null;
  return (
    <li>
      <p class="said-by">
        <b class="cut">{comment.author ?? "Former member"}</b>
        <span class="second small nowrap">
          {when(comment.created_at_ms)}
          {comment.edited_at_ms !== null && !gone && ", edited"}
        </span>
        <span class="space" />
        {own && !gone && !editing && (
          <>
            <Button kind="quiet" onClick={() => setEditing(true)}>
              Edit
            </Button>
            <IconButton icon="trash" label="Delete this comment" onClick={() => void talk.act((id) => comments.remove(id, comment.id).then(() => undefined))} />
          </>
        )}
      </p>
      {editing ? (
        <Composer
          label="Your comment"
          send="Save"
          text={comment.text}
          members={[]}
          onSend={(text) => {
            setEditing(false);
            void talk.act((id) => comments.edit(id, comment.id, text));
          }}
          onCancel={() => setEditing(false)}
        />
      ) : (
        <p class={`said ${gone ? "second" : ""}`}>{gone ? "Deleted" : comment.text}</p>
      )}
    </li>
  );
}

/** What the box does not have yet, or refused. */
function Pending({ remark }: { remark: Remark }) {
  return (
    <li>
      <p class="said-by">
        <b class="cut">{me.value?.name}</b>
        <span class="second small">{remark.refusal === null ? "not sent yet" : "not taken"}</span>
        <span class="space" />
        {remark.refusal !== null && (
          <Button kind="quiet" onClick={() => outbox.value?.unsay(remark)}>
            Drop
          </Button>
        )}
      </p>
      <p class="said">{remark.comment.text}</p>
      {remark.refusal !== null && (
        <p class="fault">
          <Icon name="warn" /> {remark.refusal}
        </p>
      )}
    </li>
  );
}

interface ComposerProps {
  label: string;
  send: string;
  text?: string;
  members: readonly Member[];
  onSend: (text: string) => void;
  onCancel?: () => void;
  children?: preact.ComponentChildren;
}

/** A name being written after an @, at the end of the text. */
const NAMING = /(^|\s)@([^\s@]*)$/;

function Composer({ label, send, text: given = "", members, onSend, onCancel, children }: ComposerProps) {
  const [text, setText] = useState(given);
  const field = useRef<HTMLTextAreaElement>(null);
  const naming = NAMING.exec(text)?.[2].toLowerCase();
  const named = naming === undefined ? [] : members.filter((one) => one.user_id !== me.value?.id && one.name.toLowerCase().startsWith(naming)).slice(0, 4);
  useEffect(() => {
    if (onCancel) field.current?.focus();
  }, []);
  const give = (): void => {
    if (text.trim() === "") return;
    setText("");
    onSend(text.trim());
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) give();
    else if (event.key === "Escape") {
      onCancel?.();
      document.querySelector<HTMLElement>(".canvas")?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const name = (member: Member): void => {
    setText(text.replace(NAMING, `$1@${member.name} `));
    field.current?.focus();
  };
  return (
    <div class="composer">
      <textarea
        ref={field}
        class="input"
        rows={2}
        maxLength={4000}
        aria-label={label}
        placeholder={onCancel ? "" : "Reply, @ names somebody"}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={press}
      />
      {named.length > 0 && (
        <ul class="named" aria-label="Members">
          {named.map((member) => (
            <li key={member.user_id}>
              <button type="button" onClick={() => name(member)}>
                @{member.name}
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="composer-actions">
        {children}
        <span class="space" />
        {onCancel && (
          <Button kind="quiet" hint="Esc" onClick={onCancel}>
            Cancel
          </Button>
        )}
        <Button hint="Ctrl ↵" disabled={text.trim() === ""} onClick={give}>
          {send}
        </Button>
      </div>
    </div>
  );
}
