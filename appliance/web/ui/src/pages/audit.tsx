import { useEffect, useMemo, useState } from "preact/hooks";

import { projects } from "../api/client";
import { address } from "../api/http";
import { audit, type AuditEntry, type AuditFilter, users } from "../api/system";
import { AuditList } from "../app/audit-list";
import { place, setQuery } from "../app/router";
import { useLoad } from "../app/use";
import { Button, Empty, Fault, Field, Select } from "../parts/controls";
import { count, counted, moment } from "../parts/words";
import { ChainLine } from "./audit/chain";
import { SystemFrame } from "./system/frame";

const DAY_MS = 86_400_000;
const PERIODS: readonly (readonly [string, string])[] = [
  ["", "Any time"],
  ["1", "Last 24 hours"],
  ["7", "Last 7 days"],
  ["30", "Last 30 days"],
];
const TYPING_MS = 300;

/** Who did what, newest first; the filter is in the address. */
export function Audit() {
  const list = useMemo(() => new AuditList(audit.page), []);
  const query = place.value.query.toString();
  const filter = useMemo(() => filterOf(new URLSearchParams(query), Date.now()), [query]);
  const people = useLoad(users.list, []);
  const known = useLoad(projects.list, []);
  useEffect(() => void list.start(filter), [filter]);
  const names = new Map((people.value ?? []).map((one) => [one.id, one.name]));
  const projectNames = new Map((known.value ?? []).map((one) => [one.id, one.name]));
  const entries = list.entries.value;
  const about = list.busy.value && entries.length === 0 ? "looking" : `${counted(entries.length, "line")}${list.next.value ? " so far" : ""}`;
  const file = (format: string): string => address("/api/audit/file", { ...filter, format });
  const actions = (
    <>
      <a class="button" href={file("csv")} download>
        CSV
      </a>
      <a class="button" href={file("jsonl")} download>
        JSON lines
      </a>
    </>
  );
  return (
    <SystemFrame title="Audit log" about={about} actions={actions}>
      <ChainLine />
      <Filters people={[...names]} projects={[...projectNames]} />
      <Fault problem={list.problem.value} retry={() => void list.start(filter)} />
      {!list.busy.value && entries.length === 0 && !list.problem.value ? (
        <Empty action={query ? <Button onClick={clear}>Clear the filter</Button> : undefined}>No line of the log fits.</Empty>
      ) : (
        <Lines entries={entries} names={names} projects={projectNames} />
      )}
      {list.next.value && (
        <p class="more">
          <Button disabled={list.busy.value} onClick={() => void list.more(filter)}>
            {list.busy.value ? `Looking, ${count(entries.length)} found` : "Show older"}
          </Button>
        </p>
      )}
    </SystemFrame>
  );
}

const clear = (): void => setQuery({ who: null, action: null, project: null, days: null, text: null });

function filterOf(query: URLSearchParams, nowMs: number): AuditFilter {
  const days = Number(query.get("days") ?? 0);
  return {
    user_id: query.get("who"),
    action: query.get("action"),
    project_id: query.get("project"),
    since_ms: days > 0 ? nowMs - days * DAY_MS : null,
    text: query.get("text"),
  };
}

type Named = readonly (readonly [number, string])[];

function Filters({ people, projects: all }: { people: Named; projects: Named }) {
  const query = place.value.query;
  const known = useLoad(audit.actions, []);
  const sought = query.get("text") ?? "";
  const [text, setText] = useState(sought);
  useEffect(() => setText(sought), [sought]);
  useEffect(() => {
    const timer = setTimeout(() => setQuery({ text }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const pick = (key: string) => (value: string) => setQuery({ [key]: value });
  const options = (first: string, named: Named) => [["", first] as const, ...named.map(([id, name]) => [String(id), name] as const)];
  return (
    <div class="audit-filter" role="search" aria-label="Filter">
      <Select label="Who" value={query.get("who") ?? ""} options={options("Everybody", people)} onPick={pick("who")} />
      <Select label="Action" value={query.get("action") ?? ""} options={[["", "Every action"], ...(known.value ?? []).map((one) => [one, one] as const)]} onPick={pick("action")} />
      <Select label="Project" value={query.get("project") ?? ""} options={options("Every project", all)} onPick={pick("project")} />
      <Select label="Time" value={query.get("days") ?? ""} options={PERIODS} onPick={pick("days")} />
      <div class="field text">
        <Field label="Text" value={text} onText={setText} maxLength={200} />
      </div>
    </div>
  );
}

interface LinesProps {
  entries: readonly AuditEntry[];
  names: ReadonlyMap<number, string>;
  projects: ReadonlyMap<number, string>;
}

function Lines({ entries, names, projects: all }: LinesProps) {
  if (entries.length === 0) return null;
  return (
    <table class="rows audit-log">
      <thead>
        <tr>
          <th class="when">When</th>
          <th class="who">Who</th>
          <th class="action">Action</th>
          <th class="what">What</th>
          <th>Details</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <td class="when second">{moment(entry.at_ms)}</td>
            <td class="who cut">{entry.user_id === null ? <span class="second">the box</span> : (names.get(entry.user_id) ?? `user ${entry.user_id}`)}</td>
            <td class="action mono cut">{entry.action}</td>
            <td class="what cut">{entry.subject}</td>
            <td>
              <Details entry={entry} project={entry.project_id === null ? null : (all.get(entry.project_id) ?? `project ${entry.project_id}`)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Details({ entry, project }: { entry: AuditEntry; project: string | null }) {
  const facts = Object.entries(entry.details)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => (key.endsWith("_at_ms") ? [key.slice(0, -"_at_ms".length), moment(Number(value))] as const : [key, value] as const));
  const word = (value: unknown): string => (typeof value === "string" ? value : Array.isArray(value) ? value.map(word).join(" and ") : JSON.stringify(value));
  const short = [project, ...facts.map(([key, value]) => `${key.replaceAll("_", " ")} ${word(value)}`)].filter(Boolean).join(", ");
  return (
    <details>
      <summary class="second">{short || "no details"}</summary>
      <dl class="facts">
        <dt>Line</dt>
        <dd class="mono">{entry.id}</dd>
        <dt>Hash</dt>
        <dd class="mono">{entry.hash}</dd>
        {project && (
          <>
            <dt>Project</dt>
            <dd>{project}</dd>
          </>
        )}
        {facts.map(([key, value]) => (
          <>
            <dt>{key.replaceAll("_", " ")}</dt>
            <dd class={typeof value === "string" ? "" : "mono"}>{word(value)}</dd>
          </>
        ))}
      </dl>
    </details>
  );
}
