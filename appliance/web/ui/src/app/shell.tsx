import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { ProjectRow } from "../api/types";
import { Icon } from "../parts/icon";
import { counted } from "../parts/words";
import { faults } from "./damage";
import { runningJobs } from "./jobs";
import { mayReview } from "./project";
import { path } from "./router";
import { connected, me, reachable, session } from "./session";
import { askToSignOut } from "./sign-out";
import { setTheme, theme, type Theme } from "./theme";
import { helpOpen } from "./help";
import "./shell.css";

const administers = (): boolean => session.value?.permissions.administer ?? false;

const BOX_PAGES: readonly [string, string, () => boolean][] = [
  ["/", "Projects", () => true],
  ["/jobs", "Jobs", () => true],
  ["/models", "Models", () => true],
  ["/system", "System", administers],
];

const PROJECT_PAGES: readonly [string, string, (project: ProjectRow) => boolean][] = [
  ["images", "Images", () => true],
  ["annotate", "Annotate", () => true],
  ["review", "Review", (project) => mayReview(project, administers())],
  ["dataset", "Dataset", () => true],
  ["models", "Models", () => true],
  ["work", "Work", (project) => mayReview(project, administers())],
  ["insights", "Insights", () => true],
  ["history", "History", () => true],
  ["settings", "Settings", () => true],
];

interface Props {
  project?: ProjectRow | null;
  children: ComponentChildren;
}

/** The top bar: where you are on the left, pages in the middle, the box on the right. */
export function Shell({ project, children }: Props) {
  return (
    <div class={faults.value > 0 ? "shell warned" : "shell"}>
      <header class="topbar">
        <a class="home" href="/" aria-label="PixelQueue, all projects">
          <Icon name="mark" />
          <span>PixelQueue</span>
        </a>
        {project ? <ProjectPages project={project} /> : <BoxPages />}
        <div class="where">
          {!reachable.value && <span role="status">{connected.value ? "The box does not answer" : "No connection to the box"}</span>}
          {runningJobs.value > 0 && (
            <a href="/jobs">{runningJobs.value === 1 ? "1 job running" : `${runningJobs.value} jobs running`}</a>
          )}
          <span class="mono name">{session.value?.box.name}</span>
          <UserMenu />
        </div>
      </header>
      {faults.value > 0 && <Damaged count={faults.value} />}
      {children}
    </div>
  );
}

/** Stored files are damaged: administrators see it wherever they are. */
function Damaged({ count }: { count: number }) {
  return (
    <p class="banner" role="status">
      <Icon name="warn" />
      {counted(count, "stored file is", "stored files are")} damaged.
      <a class="link" href="/system/files">
        See what that touches
      </a>
    </p>
  );
}

function Tab({ to, children }: { to: string; children: ComponentChildren }) {
  const here = path.value === to || (to.length > 1 && path.value.startsWith(`${to}/`));
  const element = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (here) element.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [here]);
  return (
    <a ref={element} href={to} aria-current={here ? "page" : undefined}>
      {children}
    </a>
  );
}

function BoxPages() {
  return (
    <nav aria-label="Box">
      {BOX_PAGES.filter(([, , shown]) => shown()).map(([to, word]) => (
        <Tab key={to} to={to}>
          {word}
        </Tab>
      ))}
      <a href="/api/docs">API</a>
    </nav>
  );
}

function ProjectPages({ project }: { project: ProjectRow }) {
  const { id, name } = project;
  return (
    <>
      <a class="crumb" href="/" title="All projects">
        <span class="cut">{name}</span>
      </a>
      <nav aria-label="Project">
        {PROJECT_PAGES.filter(([, , shown]) => shown(project)).map(([page, word]) => (
          <Tab key={page} to={`/projects/${id}/${page}`}>
            {word}
          </Tab>
        ))}
      </nav>
    </>
  );
}

const THEMES: readonly [Theme, string][] = [
  ["auto", "Theme of the system"],
  ["dark", "Dark"],
  ["light", "Light"],
];

function UserMenu() {
  const [open, setOpen] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  // Not after the next paint: Escape may come sooner.
  useLayoutEffect(() => {
    if (!open) return;
    const leave = (event: Event): void => {
      const key = event instanceof KeyboardEvent ? event.key : null;
      if (key === "Escape") element.current?.querySelector("button")?.focus();
      if (key === "Escape" || (key === null && !element.current?.contains(event.target as Node))) setOpen(false);
    };
    addEventListener("pointerdown", leave);
    addEventListener("keydown", leave);
    return () => {
      removeEventListener("pointerdown", leave);
      removeEventListener("keydown", leave);
    };
  }, [open]);
  /** A dialog that is opened from here gives the focus back to what opens the menu. */
  const leave = (): void => {
    element.current?.querySelector("button")?.focus();
    setOpen(false);
  };
  return (
    <div class="menu" ref={element}>
      <button class="button quiet small" aria-expanded={open} onClick={() => setOpen(!open)}>
        {me.value?.name}
        <Icon name="down" />
      </button>
      {open && (
        <ul>
          <li>
            <p>{me.value?.email}</p>
          </li>
          <li>
            <a href="/account" onClick={() => setOpen(false)}>
              Account
            </a>
          </li>
          {THEMES.map(([value, word]) => (
            <li key={value}>
              <button aria-pressed={theme.value === value} onClick={() => setTheme(value)}>
                {word}
                <span class="space" />
                {theme.value === value && <Icon name="tick" />}
              </button>
            </li>
          ))}
          <li>
            <button
              onClick={() => {
                leave();
                helpOpen.value = true;
              }}
            >
              Keys<span class="space" />
              <kbd>?</kbd>
            </button>
          </li>
          <li>
            <button
              onClick={() => {
                leave();
                void askToSignOut();
              }}
            >
              Sign out
            </button>
          </li>
        </ul>
      )}
    </div>
  );
}
