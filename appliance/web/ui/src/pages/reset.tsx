import { useEffect, useState } from "preact/hooks";

import { account } from "../api/client";
import { begin } from "../app/session";
import { useAct } from "../app/use";
import { useWait } from "../app/use-wait";
import { Button, Fault, Field } from "../parts/controls";
import { at, elsewhere, Gate, PasswordField } from "./gate";

/** Set a forgotten password with a one-time code. */
export function Reset() {
  const [email, setEmail] = useState("");
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useAct();
  const wait = useWait(problem);
  useEffect(() => {
    document.title = "New password · PixelQueue";
  }, []);
  return (
    <Gate title="Choose a new password">
      <p class="second">An admin of this box gives you a code, or its own console does. It works once, for an hour.</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => begin(await account.reset({ email: email.trim(), code: code.trim(), password })));
        }}
      >
        <Field label="Email" type="email" autocomplete="username" required autofocus value={email} onText={setEmail} fault={at(problem, "email")} />
        <Field label="Code" mono required autocomplete="one-time-code" value={code} onText={setCode} fault={at(problem, "code")} />
        <PasswordField fresh label="New password" value={password} onText={setPassword} fault={at(problem, "password")} />
        <Button kind="primary" type="submit" disabled={busy || wait > 0}>
          {wait > 0 ? `Next try in ${wait} s` : "Set password and sign in"}
        </Button>
      </form>
      <Fault problem={elsewhere(problem, ["email", "code", "password"])} />
      <p class="second">
        It ends every session of the account.{" "}
        <a class="link" href="/">
          Sign in
        </a>{" "}
        with a password you know.
      </p>
    </Gate>
  );
}
