import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";

import { Button } from "./controls";
import { Dialog } from "./dialog";

interface Props {
  title: string;
  /** What it is, to programs that read the page aloud. */
  label: string;
  secret: string;
  children: ComponentChildren;
  onClose: () => void;
}

/** A secret that is shown this once, with a button that copies it. */
export function Once({ title, label, secret, children, onClose }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    field.current?.select();
    // Over plain HTTP browsers give no clipboard: the text stays selected for the keys.
    if (!("clipboard" in navigator)) return;
    await navigator.clipboard.writeText(secret).then(() => setCopied(true), () => undefined);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div class="once">
        <input ref={field} class="input mono" readOnly value={secret} aria-label={label} onFocus={(event) => event.currentTarget.select()} />
        <Button onClick={() => void copy()}>{copied ? "Copied" : "Copy"}</Button>
      </div>
      <p class="second">It is shown this once. The box keeps only its hash.</p>
      <div class="actions">
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      </div>
    </Dialog>
  );
}
