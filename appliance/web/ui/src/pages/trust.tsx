import { type ComponentChildren, Fragment } from "preact";
import { useEffect } from "preact/hooks";

import { box, type Trust } from "../api/client";
import { useLoad } from "../app/use";
import { Fault } from "../parts/controls";
import { Icon } from "../parts/icon";
import { date } from "../parts/words";
import { Gate } from "./gate";
import { systemOf, WAYS } from "./trust/ways";
import "./trust/trust.css";

/** How to let a device trust the box: for anybody, signed in or not, over plain HTTP too. */
export function TrustPage() {
  const found = useLoad(box.trust, []);
  useEffect(() => {
    document.title = "Trust this box · PixelQueue";
  }, []);
  return (
    <Gate wide title="Trust this box" aside={found.value?.name}>
      <Fault problem={found.problem} retry={found.reload} />
      {found.value?.source === "box" && <Own trust={found.value} />}
      {found.value?.source === "site" && (
        <p>This box shows a certificate of its site. If your browser warns, ask those who run the network for their authority.</p>
      )}
      {found.value?.source === "none" && <p>This box speaks plain HTTP: there is no certificate to trust.</p>}
      <p class="second">
        {/* A full load: on the plain port this leads to TLS. */}
        <a class="link" href="/" target="_self">
          Open PixelQueue
        </a>
      </p>
    </Gate>
  );
}

function Own({ trust }: { trust: Trust }) {
  return (
    <>
      <p class="second">
        The box has an authority of its own, which vouches for its addresses. A device that trusts it opens the box without a
        warning. It can vouch for nothing outside the local network.
      </p>
      <Step number={1} title="Download the authority">
        <a class="button primary" href="/api/certificate" download>
          <Icon name="download" />
          Download
        </a>
      </Step>
      <Step number={2} title="Compare its fingerprint">
        <Fingerprint digits={trust.fingerprint ?? ""} />
        <p class="second small">
          SHA-256. Ask an admin to read it to you from their screen: it must be the same one here and in what you downloaded.
          {trust.ends_at_ms !== null && trust.ends_at_ms !== undefined && ` Valid until ${date(trust.ends_at_ms)}.`}
        </p>
      </Step>
      <Step number={3} title="Let the device trust it">
        <Ways />
      </Step>
    </>
  );
}

/** It breaks between pairs of digits only, and is copied whole. */
function Fingerprint({ digits }: { digits: string }) {
  return (
    <p class="mono fingerprint">
      {digits.split(":").map((pair, n) => (
        <Fragment key={n}>
          {n > 0 && ":"}
          <wbr />
          {pair}
        </Fragment>
      ))}
    </p>
  );
}

function Step({ number, title, children }: { number: number; title: string; children: ComponentChildren }) {
  return (
    <section class="trust-step">
      <h2>
        <span class="second">{number}</span> {title}
      </h2>
      {children}
    </section>
  );
}

function Ways() {
  const here = systemOf(navigator.userAgent, navigator.maxTouchPoints);
  return (
    <div class="ways">
      {WAYS.map(({ system, words, steps, check }) => (
        <details key={system} open={system === here}>
          <summary>
            {words}
            {system === here && <span class="second"> this device</span>}
          </summary>
          <ol>
            {steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
          {check && (
            <p class="second small">
              To see its fingerprint: <span class="mono">{check}</span>
            </p>
          )}
        </details>
      ))}
    </div>
  );
}
