import { useState } from "preact/hooks";

import { account } from "../api/client";
import { begin } from "../app/session";
import { useAct, useLoad } from "../app/use";
import { useWait } from "../app/use-wait";
import { Button, Fault, Field } from "../parts/controls";
import { at, elsewhere, Gate, PasswordField } from "./gate";

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
        Forgot it?{" "}
        <a class="link" href="/reset">
          I have a code
        </a>{" "}
        from an admin or the box's own console.
      </p>
      <NoAccount />
      {location.protocol === "https:" && (
        <p class="second">
          Does the browser warn of this box?{" "}
          <a class="link" href="/trust">
            Let this device trust it
          </a>
        </p>
      )}
    </Gate>
  );
}

function NoAccount() {
  const door = useLoad(account.registration, []);
  if (door.value !== "open") return <p class="second">No account yet? Ask an admin of the box {door.value === "closed" ? "for one" : "for an invitation"}.</p>;
  return (
    <p class="second">
      No account yet?{" "}
      <a class="link" href="/register">
        Register
      </a>
    </p>
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
