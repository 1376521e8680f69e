import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { faults } from "../../app/damage";
import { path } from "../../app/router";
import { count } from "../../parts/words";
import "./system.css";

const PAGES: readonly (readonly [string, string])[] = [
  ["/system", "Health"],
  ["/system/storage", "Storage"],
  ["/system/files", "Stored files"],
  ["/system/users", "Users"],
  ["/system/audit", "Audit log"],
];

interface Props {
  title: string;
  about?: ComponentChildren;
  actions?: ComponentChildren;
  foot?: ComponentChildren;
  children: ComponentChildren;
}

/** The box's own pages: a list of them on the left, one of them beside it. */
export function SystemFrame({ title, about, actions, foot, children }: Props) {
  useEffect(() => {
    document.title = `${title} · PixelQueue`;
  }, [title]);
  return (
    <div class="system">
      <nav aria-label="System">
        {PAGES.map(([to, word]) => (
          <a key={to} href={to} aria-current={path.value === to ? "page" : undefined}>
            {word}
            {to === "/system/files" && faults.value > 0 && <b>{count(faults.value)}</b>}
          </a>
        ))}
        {foot}
      </nav>
      <main class="system-page">
        <header>
          <h1>{title}</h1>
          <span class="second">{about}</span>
          <span class="space" />
          {actions}
        </header>
        {children}
      </main>
    </div>
  );
}
