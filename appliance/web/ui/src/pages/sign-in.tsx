import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { account } from "../api/client";
import type { Problem } from "../api/problem";
import { begin } from "../app/session";
import { useAct } from "../app/use";
import { useWait } from "../app/use-wait";
import { Button, Fault, Field } from "../parts/controls";
import { Icon } from "../parts/icon";

const LEAST_PASSWORD = 12;

function Gate({ title, aside, children }: { title: string; aside?: string; children: ComponentChildren }) {
  return (
    <main class="gate">
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
function at(problem: Problem | null, field: string): string | null {
  return problem?.field === field ? problem.message : null;
}

/** The problem when it belongs to none of these fields. */
function elsewhere(problem: Problem | null, fields: string[]): Problem | null {
  return problem?.field && fields.includes(problem.field) ? null : problem;
}

function PasswordField(props: { value: string; onText: (text: string) => void; fault: string | null; fresh?: boolean }) {
  const { value, fresh } = props;
  const hint = value.length >= LEAST_PASSWORD ? `${value.length} characters.` : "12 characters at least; a sentence is good.";
  return (
    <Field
      label="Password"
      type="password"
      required
      name="password"
      minLength={fresh ? LEAST_PASSWORD : undefined}
      maxLength={256}
      autocomplete={fresh ? "new-password" : "current-password"}
      hint={fresh ? hint : undefined}
      value={value}
      onText={props.onText}
      fault={props.fault}
    />
  );
}

export function SignIn() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useAct();
  const wait = useWait(problem);
  return (
    <Gate title="Sign in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => begin(await account.signIn(email.trim(), password)));
        }}
      >
        <Field
          label="Email"
          type="email"
          name="email"
          autocomplete="username"
          required
          autofocus
          value={email}
          onText={setEmail}
          fault={at(problem, "email")}
        />
        <PasswordField value={password} onText={setPassword} fault={at(problem, "password")} />
        <Button kind="primary" type="submit" disabled={busy || wait > 0}>
          {wait > 0 ? `Next try in ${wait} s` : "Sign in"}
        </Button>
      </form>
      <Fault problem={elsewhere(problem, ["email", "password"])} />
      <p class="second">
        No account yet? <a class="link" href="/register">Register</a> where this box allows it, or ask an admin of the
        box. A lost password is set again at the box's own console.
      </p>
    </Gate>
  );
}

export function Register() {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useAct();
  return (
    <Gate title="Register">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => begin(await account.register({ email: email.trim(), name: name.trim(), password })));
        }}
      >
        <Field label="Name" autocomplete="name" required autofocus value={name} onText={setName} fault={at(problem, "name")} />
        <Field label="Email" type="email" autocomplete="username" required value={email} onText={setEmail} fault={at(problem, "email")} />
        <PasswordField fresh value={password} onText={setPassword} fault={at(problem, "password")} />
        <Button kind="primary" type="submit" disabled={busy}>
          Register
        </Button>
      </form>
      <Fault problem={elsewhere(problem, ["email", "name", "password"])} />
      <p class="second">
        <a class="link" href="/">Sign in</a> with an account that is there already.
      </p>
    </Gate>
  );
}

export function Setup() {
  const [code, setCode] = useState("");
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useAct();
  return (
    <Gate title="Claim this box" aside="first run">
      <p class="second">
        The terminal that started PixelQueue shows a claim code. It works once; whoever enters it becomes the first
        admin of this box.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const facts = { code: code.trim(), email: email.trim(), name: name.trim(), password };
          run(async () => begin(await account.setup(facts)));
        }}
      >
        <Field label="Claim code" mono required autofocus autocomplete="one-time-code" value={code} onText={setCode} fault={at(problem, "code")} />
        <Field label="Your name" autocomplete="name" required value={name} onText={setName} fault={at(problem, "name")} />
        <Field label="Email" type="email" autocomplete="username" required value={email} onText={setEmail} fault={at(problem, "email")} />
        <PasswordField fresh value={password} onText={setPassword} fault={at(problem, "password")} />
        <Button kind="primary" type="submit" disabled={busy}>
          Claim
        </Button>
      </form>
      <Fault problem={elsewhere(problem, ["code", "email", "name", "password"])} />
    </Gate>
  );
}
