import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import { IconButton } from "./controls";

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

const FIELDS = ".dialog :is(input, select, textarea):not(:disabled)";

/** A modal over the page: Escape closes it, focus stays inside and returns to where it was. */
export function Dialog({ title, onClose, children, wide }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    // A dialog begins with what is asked, not with the way out of it.
    if (document.activeElement?.closest(".dialog > header")) (dialog?.querySelector<HTMLElement>(FIELDS) ?? dialog)?.focus();
    return () => {
      dialog?.close();
      // What is taken out of the page with its dialog open gives no focus back by itself.
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={element}
      tabIndex={-1}
      class={wide ? "wide" : ""}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div class="dialog">
        <header>
          <h2 id={heading}>{title}</h2>
          <IconButton icon="close" label="Close" hint="Esc" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
