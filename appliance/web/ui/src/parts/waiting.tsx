import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

/** What comes sooner needs no words. */
const SOON_MS = 400;

/** Says what is waited for, once that takes long enough to wonder. */
export function Waiting({ children }: { children: ComponentChildren }) {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), SOON_MS);
    return () => clearTimeout(timer);
  }, []);
  return long ? <span class="second">{children}</span> : null;
}
