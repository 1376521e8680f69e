import { useState } from "preact/hooks";

import { account } from "../api/client";
import { Button, Field, Refusal } from "../parts/controls";
import { counted } from "../parts/words";
import { go } from "./router";
import { begin, end, expired, outbox, session } from "./session";
import { useAct } from "./use";
import { useWait } from "./use-wait";

/**
 * Sign in again over the page. It stays as it is underneath, and takes no focus away: a drag
 * ends normally, keys go on working, and everything kept goes out after signing in.
 */
export function SignInLayer() {
  return expired.value && session.value ? <Layer email={session.value.user.email} /> : null;
}

function leave(): void {
  end();
  go("/");
}

function Layer({ email }: { email: string }) {
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useAct();
  const wait = useWait(problem);
  const kept = outbox.value?.unsent.value ?? 0;
  return (
    <section class="notice" role="dialog" aria-modal="false" aria-labelledby="sign-in-again">
      <h2 id="sign-in-again">Sign in again</h2>
      <p role="status" class="second">
        The session has ended. {kept > 0 ? `${counted(kept, "change")} kept: signing in sends ${kept === 1 ? "it" : "them"}.` : "The page stays as it is."}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => begin(await account.signIn(email, password)));
        }}
      >
        <Field label="Email" type="email" name="email" autocomplete="username" readOnly value={email} onText={() => undefined} />
        <Field label="Password" type="password" name="password" required autocomplete="current-password" value={password} onText={setPassword} fault={problem?.field === "password" ? problem.message : null} />
        <div class="actions">
          <Button kind="quiet" onClick={leave}>
            Somebody else
          </Button>
          <Button kind="primary" type="submit" disabled={busy || wait > 0}>
            {wait > 0 ? `Next try in ${wait} s` : "Sign in"}
          </Button>
        </div>
      </form>
      <Refusal problem={problem?.field ? null : problem} />
    </section>
  );
}
