import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

import type { Problem } from "../api/problem";
import { expired } from "../app/session";
import { Icon, type IconName } from "./icon";

interface Pressable {
  onClick?: (event: MouseEvent) => void;
  disabled?: boolean;
  title?: string;
  class?: string;
  "aria-pressed"?: boolean;
  "aria-expanded"?: boolean;
}

interface ButtonProps extends Pressable {
  kind?: "plain" | "primary" | "quiet";
  icon?: IconName;
  /** The key that does the same, shown beside the word. */
  hint?: string;
  type?: "button" | "submit";
  children?: ComponentChildren;
}

export function Button({ kind = "plain", icon, hint, type = "button", children, class: more, ...rest }: ButtonProps) {
  return (
    <button type={type} class={`button ${kind} ${more ?? ""}`} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
      {hint && <kbd>{hint}</kbd>}
    </button>
  );
}

interface IconButtonProps extends Pressable {
  icon: IconName;
  /** Name of what it does: tooltip and accessible name. */
  label: string;
  hint?: string;
}

export function IconButton({ icon, label, hint, class: more, ...rest }: IconButtonProps) {
  const title = hint ? `${label}  ${hint}` : label;
  return (
    <button type="button" class={`button icon-only ${more ?? ""}`} title={title} aria-label={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onText: (text: string) => void;
  type?: "text" | "email" | "password";
  name?: string;
  autofocus?: boolean;
  hint?: string;
  fault?: string | null;
  required?: boolean;
  readOnly?: boolean;
  minLength?: number;
  maxLength?: number;
  autocomplete?: string;
  placeholder?: string;
  mono?: boolean;
}

/** A labelled line of text, with its fault beside it. */
export function Field({ label, value, onText, hint, fault, mono, type = "text", ...rest }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type={type as "text"}
        class={`input ${mono ? "mono" : ""}`}
        value={value}
        aria-invalid={fault ? true : undefined}
        aria-describedby={hint || fault ? `${id}-note` : undefined}
        onInput={(event) => onText(event.currentTarget.value)}
        {...rest}
      />
      {(fault ?? hint) && (
        <span id={`${id}-note`} class={fault ? "fault" : "hint"}>
          {fault && <Icon name="warn" />}
          {fault ?? hint}
        </span>
      )}
    </div>
  );
}

interface SelectProps {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onPick: (value: string) => void;
  bare?: boolean;
  disabled?: boolean;
}

export function Select({ label, value, options, onPick, bare, disabled }: SelectProps) {
  const id = useId();
  const control = (
    <select
      id={id}
      class="input"
      aria-label={bare ? label : undefined}
      disabled={disabled}
      value={value}
      onChange={(event) => onPick(event.currentTarget.value)}
    >
      {options.map(([key, word]) => (
        <option key={key} value={key}>
          {word}
        </option>
      ))}
    </select>
  );
  if (bare) return control;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {control}
    </div>
  );
}

interface Wrong {
  problem: Problem | null;
  retry?: () => void;
}

/** What went wrong on a page. Who has to sign in again is told so by the layer over the page alone. */
export function Fault({ problem, retry }: Wrong) {
  return expired.value && problem?.code === "not-signed-in" ? null : <Refusal problem={problem} retry={retry} />;
}

/** What went wrong, beside where it went wrong: the file or field, the cause, the next step. */
export function Refusal({ problem, retry }: Wrong) {
  if (!problem) return null;
  return (
    <div class="problem" role="alert">
      <Icon name="warn" />
      <p>
        {problem.file && <b class="mono">{problem.file} </b>}
        {problem.message}
      </p>
      {retry && (
        <Button kind="quiet" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** An empty place: one sentence, one action. */
export function Empty({ children, action }: { children: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{children}</p>
      {action}
    </div>
  );
}

export function Swatch({ color }: { color: string }) {
  return <i class="swatch" style={{ background: color }} aria-hidden="true" />;
}
