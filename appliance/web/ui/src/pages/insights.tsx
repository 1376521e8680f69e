import { useEffect, useMemo } from "preact/hooks";

import { insights, type InsightsTable, type ProjectInsights } from "../api/insights";
import type { ProjectPageProps } from "../app/project";
import { place, setQuery } from "../app/router";
import { useEvents, useLoad } from "../app/use";
import { DayChart, type Line } from "../parts/chart";
import { Empty, Fault, Select } from "../parts/controls";
import { count, duration } from "../parts/words";
import { Balance, Predictions, Thresholds } from "./insights/tables";
import { approval, dayWord, deviceZone, percent, ratio, sums, throughput } from "./insights/series";
import "./insights.css";

const PERIODS: readonly (readonly [string, string])[] = [
  ["7", "Last 7 days"],
  ["30", "Last 30 days"],
  ["90", "Last 90 days"],
  ["365", "Last 365 days"],
];
const LINES: readonly Line[] = [
  { label: "Submitted", shape: "bars" },
  { label: "Approved", shape: "whole" },
  { label: "Returned", shape: "dashes" },
];

/** How the project goes: work by day and person, verdicts, what became of predictions. */
export function Insights({ project }: ProjectPageProps) {
  const days = Number(place.value.query.get("days") ?? 30);
  const zone = deviceZone();
  const loaded = useLoad(() => insights.get(project.id, days, zone), [project.id, days, zone]);
  useEvents(["review.made", "task.changed"], project.id, loaded.reload);
  useEffect(() => {
    document.title = `Insights, ${project.name} · PixelQueue`;
  }, [project.name]);
  const found = loaded.value;
  return (
    <div class="page">
      <main class="sheet insights">
        <header>
          <h1>Insights</h1>
          <span class="second">days of {zone.replaceAll("_", " ")}</span>
          <span class="space" />
          <Select bare label="Period" value={String(days)} options={PERIODS} onPick={(value) => setQuery({ days: value })} />
        </header>
        <Fault problem={loaded.problem} retry={loaded.reload} />
        {found && <Found found={found} file={(table) => insights.fileUrl(project.id, table, days, zone)} projectId={project.id} />}
      </main>
    </div>
  );
}

interface FoundProps {
  found: ProjectInsights;
  file: (table: InsightsTable) => string;
  projectId: number;
}

function Found({ found, file, projectId }: FoundProps) {
  const total = sums(found.days);
  const quiet = total.submitted + total.approved + total.returned === 0;
  return (
    <>
      <Totals found={found} />
      {quiet ? (
        <Empty action={<a class="button" href={`/projects/${projectId}/annotate`}>Annotate</a>}>
          Nothing was submitted or reviewed in this time: numbers appear as soon as somebody submits an image.
        </Empty>
      ) : (
        <Work found={found} file={file("days")} />
      )}
      {found.people.length > 0 && <People found={found} file={file("people")} />}
      <Predictions found={found} file={file("predictions")} />
      <Thresholds found={found} file={file("thresholds")} />
      <Balance found={found} file={file("labels")} />
    </>
  );
}

const seconds = (value: number | null): string => (value === null ? "–" : duration(value));

function Totals({ found }: { found: ProjectInsights }) {
  const total = sums(found.days);
  const facts: [string, string][] = [
    ["Submitted", count(total.submitted)],
    ["Approved at review", percent(approval(total.approved, total.returned))],
    ["Returned", count(total.returned)],
    ["Submitted again", `${count(total.reworked)} (${percent(ratio(total.reworked, total.submitted))})`],
    ["Median time an image", seconds(found.median_s)],
    ["Time annotating", duration(total.active_s)],
    ["Time reviewing", duration(total.reviewing_s)],
    ...(total.agreed + total.disagreed > 0 ? [["Reviewers agree", percent(ratio(total.agreed, total.agreed + total.disagreed))] as [string, string]] : []),
  ];
  return (
    <dl class="totals">
      {facts.map(([word, value]) => (
        <div key={word}>
          <dt>{word}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Work({ found, file }: { found: ProjectInsights; file: string }) {
  const data = useMemo(() => throughput(found.days), [found.days]);
  const busy = found.days.filter((one) => one.submitted + one.approved + one.returned + one.reviewing_s > 0).reverse();
  return (
    <section aria-label="Work by day">
      <div class="section-head">
        <h2>Work by day</h2>
        <ul class="chart-legend" aria-hidden="true">
          {LINES.map((line) => (
            <li key={line.label}>
              <i class={line.shape} />
              {line.label}
            </li>
          ))}
        </ul>
        <span class="space" />
        <a class="button quiet" href={file} download>
          CSV
        </a>
      </div>
      <div class="beside">
        <DayChart data={data} lines={LINES} label="Images submitted, approved and returned by day; the table holds the numbers" />
        <div class="scroll" tabIndex={0} role="region" aria-label="Work by day, table">
          <table class="rows tight">
            <thead>
              <tr>
                <th>Day</th>
                <th class="number">Submitted</th>
                <th class="number">Approved</th>
                <th class="number">Returned</th>
                <th class="number">Annotating</th>
                <th class="number">Reviewing</th>
              </tr>
            </thead>
            <tbody>
              {busy.map((one) => (
                <tr key={one.day}>
                  <td>{dayWord(one.day)}</td>
                  <td class="number">{count(one.submitted)}</td>
                  <td class="number">{count(one.approved)}</td>
                  <td class="number">{count(one.returned)}</td>
                  <td class="number">{duration(one.active_s)}</td>
                  <td class="number">{duration(one.reviewing_s)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </section>
  );
}

function People({ found, file }: { found: ProjectInsights; file: string }) {
  return (
    <section aria-label="People">
      <div class="section-head">
        <h2>People</h2>
        <span class="second">admins see everybody, others themselves</span>
        <span class="space" />
        <a class="button quiet" href={file} download>
          CSV
        </a>
      </div>
      <table class="rows tight">
        <thead>
          <tr>
            <th>Name</th>
            <th class="number">Submitted</th>
            <th class="number">Again</th>
            <th class="number">Approved</th>
            <th class="number">Returned</th>
            <th class="number">Approval</th>
            <th class="number">Rework</th>
            <th class="number">Median time</th>
            <th class="number">Annotating</th>
            <th class="number">Reviewed</th>
            <th class="number">Reviewing</th>
          </tr>
        </thead>
        <tbody>
          {found.people.map((one) => (
            <tr key={one.user_id}>
              <td>{one.name}</td>
              <td class="number">{count(one.submitted)}</td>
              <td class="number">{count(one.reworked)}</td>
              <td class="number">{count(one.approved)}</td>
              <td class="number">{count(one.returned)}</td>
              <td class="number">{percent(approval(one.approved, one.returned))}</td>
              <td class="number">{percent(ratio(one.reworked, one.submitted))}</td>
              <td class="number">{seconds(one.median_s)}</td>
              <td class="number">{duration(one.active_s)}</td>
              <td class="number">{count(one.reviewed)}</td>
              <td class="number">{duration(one.reviewing_s)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="second small note-line">
        Time counts while the image is shown and somebody moves or types, pauses over a minute left out. The median is right within five percent.
      </p>
    </section>
  );
}
