import { useEffect, useState } from "preact/hooks";

import { own, type Place, type Scope, type Token } from "../api/own";
import { me, session } from "../app/session";
import { useAct, useLoad } from "../app/use";
import { Button, Fault, Field, Select } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { Once } from "../parts/once";
import { ahead, when } from "../parts/words";
import { browserOf } from "./account/browser";
import "./account.css";

/** One's own account: password, where one is signed in, tokens for programs. */
export function Account() {
  useEffect(() => {
    document.title = "Account · PixelQueue";
  }, []);
  return (
    <div class="page">
      <main class="sheet account">
        <header>
          <h1>Account</h1>
          <span class="second">
            {me.value?.name}, {me.value?.email}, {me.value?.role} on this box
          </span>
        </header>
        <Password />
        <Places />
        <Tokens />
      </main>
    </div>
  );
}

function Password() {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [others, setOthers] = useState(true);
  const [changed, setChanged] = useState(false);
  const { busy, problem, run } = useAct();
  const fault = (field: string): string | null => (problem?.field === field ? problem.message : null);
  const change = async (): Promise<void> => {
    setChanged(false);
    await own.changePassword({ old, new: fresh, end_other_sessions: others });
    setOld("");
    setFresh("");
    setChanged(true);
  };
  return (
    <section aria-label="Password">
      <h2>Password</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(change);
        }}
      >
        <input type="text" class="unseen" autocomplete="username" value={me.value?.email} readOnly tabIndex={-1} aria-hidden="true" />
        <Field label="Present password" type="password" required value={old} onText={setOld} fault={fault("old")} autocomplete="current-password" />
        <Field label="New password" type="password" required minLength={12} value={fresh} onText={setFresh} hint="12 characters or more" fault={fault("new")} autocomplete="new-password" />
        <label class="check">
          <input type="checkbox" checked={others} onChange={(event) => setOthers(event.currentTarget.checked)} />
          Sign out everywhere else
        </label>
        {!["old", "new"].includes(problem?.field ?? "") && <Fault problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || !old || !fresh}>
            Change password
          </Button>
          {changed && <span role="status">Changed.</span>}
        </div>
      </form>
    </section>
  );
}

function Places() {
  const loaded = useLoad(own.places, []);
  const { busy, problem, run } = useAct();
  const places = loaded.value ?? [];
  const act = (what: () => Promise<void>): void =>
    run(async () => {
      await what();
      loaded.reload();
    });
  return (
    <section aria-label="Signed in">
      <div class="section-head">
        <h2>Signed in</h2>
        <span class="space" />
        {places.length > 1 && (
          <Button disabled={busy} onClick={() => act(own.signOutElsewhere)}>
            Sign out elsewhere
          </Button>
        )}
      </div>
      <Fault problem={problem ?? loaded.problem} />
      <table class="rows">
        <tbody>
          {places.map((one) => (
            <PlaceRow key={one.id} one={one} busy={busy} onEnd={() => act(() => own.signOutAt(one.id))} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function PlaceRow({ one, busy, onEnd }: { one: Place; busy: boolean; onEnd: () => void }) {
  return (
    <tr>
      <td>
        <b>
          {browserOf(one.agent)}
          {one.current && <span class="second"> this one</span>}
        </b>
        <span class="second small mono">{one.address}</span>
      </td>
      <td class="number second">
        since {when(one.created_at_ms)}, used {when(one.seen_at_ms)}
      </td>
      <td class="number end">
        {!one.current && (
          <Button kind="quiet" disabled={busy} onClick={onEnd}>
            Sign out
          </Button>
        )}
      </td>
    </tr>
  );
}

function Tokens() {
  const loaded = useLoad(own.tokens, []);
  const [making, setMaking] = useState(false);
  const { busy, problem, run } = useAct();
  const tokens = loaded.value ?? [];
  const revoke = (token: Token): void =>
    run(async () => {
      await own.revokeToken(token.id);
      loaded.reload();
    });
  return (
    <section aria-label="Tokens">
      <div class="section-head">
        <h2>Tokens</h2>
        <span class="second">let programs use the API in your name</span>
        <span class="space" />
        <Button icon="add" onClick={() => setMaking(true)}>
          Make a token
        </Button>
      </div>
      <Fault problem={problem ?? loaded.problem} />
      {loaded.value && tokens.length === 0 && <p class="second">No token yet.</p>}
      <table class="rows">
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <td>
                <b>{token.name}</b>
                <span class="second small">{token.scopes.join(", ")}</span>
              </td>
              <td class="number second">
                {end(token)}, made {when(token.created_at_ms)}, {token.last_used_at_ms === null ? "never used" : `used ${when(token.last_used_at_ms)}`}
              </td>
              <td class="number end">
                <Button kind="quiet" disabled={busy} onClick={() => revoke(token)}>
                  Revoke
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {making && <MakeToken onClose={() => setMaking(false)} onMade={loaded.reload} />}
    </section>
  );
}

const SCOPES: readonly (readonly [Scope, string])[] = [
  ["read", "read: look at what you may see"],
  ["write", "write: change what you may change"],
  ["admin", "admin: what administrators of the box may do"],
];

const DAY_S = 86_400;
const SPANS: readonly (readonly [string, string])[] = [
  ["7", "a week"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "a year"],
  ["", "until it is revoked"],
];

/** "ends in 6 days", "ended 20 Nov", or that it does not end. */
function end({ expires_at_ms: at }: Token): string {
  if (at === null) return "does not end";
  return at > Date.now() ? `ends ${ahead(at)}` : `ended ${when(at)}`;
}

function MakeToken({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["read"]);
  const [days, setDays] = useState("90");
  const [secret, setSecret] = useState<string | null>(null);
  const { busy, problem, run } = useAct();
  const administers = session.value?.permissions.administer ?? false;
  const make = async (): Promise<void> => {
    setSecret((await own.makeToken({ name: name.trim(), scopes, ...(days ? { valid_s: Number(days) * DAY_S } : {}) })).secret);
    onMade();
  };
  const flip = (scope: Scope): void => setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  if (secret) {
    return (
      <Once title="Copy the token now" label="Token" secret={secret} onClose={onClose}>
        <p>It goes into the header Authorization of a program, after the word Bearer.</p>
      </Once>
    );
  }
  return (
    <Dialog title="Make a token" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(make);
        }}
      >
        <Field label="Name" autofocus required maxLength={200} value={name} onText={setName} hint="What will use it" fault={problem?.field === "name" ? problem.message : null} />
        <fieldset class="checks">
          <legend class="second small">It may</legend>
          {SCOPES.filter(([scope]) => scope !== "admin" || administers).map(([scope, words]) => (
            <label key={scope} class="check">
              <input type="checkbox" checked={scopes.includes(scope)} onChange={() => flip(scope)} />
              {words}
            </label>
          ))}
        </fieldset>
        <Select label="Works for" value={days} options={SPANS} onPick={setDays} />
        {problem?.field !== "name" && <Fault problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || scopes.length === 0 || !name.trim()}>
            Make token
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
