import { useEffect } from "preact/hooks";

import { type BoxHealth, type Lane, type Runtimes, system } from "../../api/system";
import { useEvents, useLoad } from "../../app/use";
import { Fault } from "../../parts/controls";
import { StateMark } from "../../parts/marks";
import { counted } from "../../parts/words";
import { type Finding, findings, upWords } from "./findings";
import { SystemFrame } from "./frame";
import { SpaceByKind } from "./space-table";

const REFRESH_MS = 10_000;

/** Is the box well: one line each, and what to do where it is not. */
export function Health() {
  const box = useLoad(system.health, []);
  const scrub = useLoad(system.scrub, []);
  const storage = useLoad(system.storage, []);
  const runtimes = useLoad(system.runtimes, []);
  useEvents(["job.changed"], null, box.reload);
  useEvents(["damage.found", "storage.measured"], null, () => {
    scrub.reload();
    storage.reload();
  });
  useEffect(() => {
    const timer = setInterval(() => document.hidden || box.reload(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const found = box.value ? findings(box.value, scrub.value, storage.value) : [];
  return (
    <SystemFrame title="Health" about={box.value && summary(found)} foot={box.value && <Foot box={box.value} />}>
      <Fault problem={box.problem ?? storage.problem ?? scrub.problem} retry={box.reload} />
      <div class="overview">
        <div>
          <section aria-label="Health">
            <Findings found={found} />
          </section>
          <section aria-label="Runtimes">
            <header>
              <h2>Runtimes</h2>
              <span class="second">what runs models here</span>
            </header>
            <RuntimeRows found={runtimes.value} />
          </section>
        </div>
        <div>
          <section aria-label="Storage">{storage.value && <SpaceByKind use={storage.value} brief />}</section>
          <section aria-label="Jobs">
            <header>
              <h2>Jobs</h2>
              <span class="second">{box.value && laneSummary(box.value.lanes)}</span>
              <span class="space" />
              <a class="button quiet" href="/jobs">
                All jobs
              </a>
            </header>
            {box.value && <Lanes lanes={box.value.lanes} />}
          </section>
        </div>
      </div>
    </SystemFrame>
  );
}

function summary(found: readonly Finding[]): string {
  const faults = found.filter((one) => !one.well).length;
  return faults === 0 ? "all is well" : counted(faults, "thing to see to", "things to see to");
}

function Findings({ found }: { found: readonly Finding[] }) {
  return (
    <>
      <table class="rows health">
        <tbody>
          {found.map((one) => (
            <tr key={one.what}>
              <td class={`mark ${one.well ? "" : "fault"}`}>
                <StateMark well={one.well} />
                <span class="unseen">{one.well ? "well" : "not well"}</span>
              </td>
              <td>{one.what}</td>
              <td class="number">{one.value}</td>
              <td class="second">{one.note}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {found
        .filter((one) => one.advice)
        .map((one) => (
          <p key={one.what} class="advice">
            <StateMark well={false} />
            {one.advice}
          </p>
        ))}
    </>
  );
}

function RuntimeRows({ found }: { found: Runtimes | null }) {
  if (!found) return <p class="second">Asking a child process, about a second.</p>;
  return (
    <table class="rows health">
      <tbody>
        <tr>
          <td class={`mark ${found.fault ? "fault" : ""}`}>
            <StateMark well={!found.fault} />
          </td>
          <td>Child processes</td>
          <td class="second told">{found.fault ?? "start with their limits"}</td>
        </tr>
        {found.backends.map((one) => (
          <tr key={one.name}>
            <td class={`mark ${one.ok ? "" : "fault"}`}>
              <StateMark well={one.ok} />
            </td>
            <td>{one.name}</td>
            <td class="second told">{one.ok ? `on ${one.devices.join(", ")}` : one.reason}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function laneSummary(lanes: readonly Lane[]): string {
  const sum = (pick: (lane: Lane) => number): number => lanes.reduce((n, lane) => n + pick(lane), 0);
  const words = [`${sum((lane) => lane.running)} running`, `${sum((lane) => lane.queued)} waiting`];
  const paused = sum((lane) => lane.paused);
  return [...words, ...(paused > 0 ? [`${paused} paused`] : [])].join(", ");
}

function Lanes({ lanes }: { lanes: readonly Lane[] }) {
  return (
    <table class="rows lanes">
      <thead>
        <tr>
          <th>Lane</th>
          <th class="number">At a time</th>
          <th class="number">Running</th>
          <th class="number">Waiting</th>
          <th class="number">Paused</th>
        </tr>
      </thead>
      <tbody>
        {lanes.map((lane) => (
          <tr key={lane.name}>
            <td class="mono">{lane.name}</td>
            <td class="number second">{lane.width}</td>
            <td class="number">{lane.running}</td>
            <td class="number">{lane.queued}</td>
            <td class="number">{lane.paused}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Foot({ box }: { box: BoxHealth }) {
  return (
    <div class="system-foot">
      <p>PixelQueue {box.versions.pixelqueue}</p>
      <p>{upWords(box.uptime_s)}</p>
      <p>Python {box.versions.python}</p>
      <p>SQLite {box.versions.sqlite}</p>
      <p>{box.versions.machine}</p>
    </div>
  );
}
