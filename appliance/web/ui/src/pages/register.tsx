import { useEffect, useState } from "preact/hooks";

import { account, type Offer } from "../api/client";
import { type Door } from "../api/types";
import { begin } from "../app/session";
import { useAct, useLoad } from "../app/use";
import { Button, Fault, Field } from "../parts/controls";
import { at, elsewhere, Gate, PasswordField } from "./gate";

interface Way {
  door: Door;
  secret: string | null;
  offer: Offer | null;
}

/** The secret of an invitation stands behind the #, which browsers send to nobody. */
async function findWay(): Promise<Way> {
  const secret = location.hash.slice(1) || null;
  const door = await account.registration();
  return { door, secret, offer: secret && door !== "closed" ? await account.openInvitation(secret) : null };
}

export function Register() {
  const way = useLoad(findWay, []);
  useEffect(() => {
    document.title = "Register · PixelQueue";
  }, []);
  const { door, secret, offer } = way.value ?? {};
  return (
    <Gate title={offer ? "You are invited" : "Register"}>
      <Fault problem={way.problem} />
      {offer && <p class="second">{offerWords(offer)}</p>}
      {(offer || door === "open") && <Form invitation={secret ?? null} />}
      {door === "closed" && <p>This box makes no accounts by itself. Ask one of its admins for an account.</p>}
      {door === "invite" && !secret && <p>This box makes accounts by invitation. Ask one of its admins for a link.</p>}
      <p class="second">
        <a class="link" href="/">
          Sign in
        </a>{" "}
        with an account that is there already.
      </p>
    </Gate>
  );
}

function offerWords({ role, project, project_role }: Offer): string {
  const place = project ? `You will work in ${project} as ${project_role}.` : "";
  const power = role === "member" ? "" : `You will be ${role} of this box.`;
  return [place, power].filter(Boolean).join(" ") || "Make an account, and the box is open to you.";
}

function Form({ invitation }: { invitation: string | null }) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useAct();
  const register = async (): Promise<void> => {
    const facts = { email: email.trim(), name: name.trim(), password };
    begin(await account.register(invitation ? { ...facts, invitation } : facts));
  };
  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(register);
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
    </>
  );
}
