import type { ComponentChildren } from "preact";

import type { Problem } from "../api/problem";
import { Field } from "../parts/controls";
import { Icon } from "../parts/icon";

const LEAST_PASSWORD = 12;

/** What stands before the console: one narrow column. */
export function Gate({ title, aside, wide, children }: { title: string; aside?: string; wide?: boolean; children: ComponentChildren }) {
  return (
    <main class={wide ? "gate wide" : "gate"}>
      <div class="gate-head">
        <Icon name="mark" />
        <b>PixelQueue</b>
        <span class="mono second">{aside}</span>
      </div>
      <h1>{title}</h1>
      {children}
    </main>
  );
}

/** The problem that belongs to one field, or null. */
export function at(problem: Problem | null, field: string): string | null {
  return problem?.field === field ? problem.message : null;
}

/** The problem when it belongs to none of these fields. */
export function elsewhere(problem: Problem | null, fields: string[]): Problem | null {
  return problem?.field && fields.includes(problem.field) ? null : problem;
}

interface PasswordProps {
  value: string;
  onText: (text: string) => void;
  fault: string | null;
  label?: string;
  /** It is being chosen, not entered again. */
  fresh?: boolean;
}

export function PasswordField({ value, onText, fault, fresh, label = "Password" }: PasswordProps) {
  const hint = value.length >= LEAST_PASSWORD ? `${value.length} characters.` : "12 characters at least; a sentence is good.";
  return (
    <Field
      label={label}
      type="password"
      required
      name="password"
      minLength={fresh ? LEAST_PASSWORD : undefined}
      maxLength={256}
      autocomplete={fresh ? "new-password" : "current-password"}
      hint={fresh ? hint : undefined}
      value={value}
      onText={onText}
      fault={fault}
    />
  );
}
