import { signal } from "@preact/signals";

import { Dialog } from "../parts/dialog";

export const helpOpen = signal(false);

type Group = readonly [string, readonly (readonly [string, string])[]];

const GROUPS: readonly Group[] = [
  [
    "Everywhere",
    [
      ["?", "these keys"],
      ["/", "find"],
      ["Esc", "close, cancel, clear"],
    ],
  ],
  [
    "Picture",
    [
      ["D / A", "next / previous image"],
      ["F", "fit"],
      ["Shift 0", "100 %"],
      ["wheel, pinch", "zoom"],
      ["Space drag", "pan"],
      ["Tab", "next object"],
      ["H", "hide or show objects"],
    ],
  ],
  [
    "Annotate",
    [
      ["V / B", "select / box"],
      ["1 … 9", "label"],
      ["Y / X", "accept / reject prediction"],
      ["Shift Y", "accept all that show"],
      ["Del", "delete"],
      ["Arrows", "move by 1 px, with Shift 10"],
      ["Ctrl Z", "undo"],
      ["Ctrl Shift Z", "redo"],
      ["Ctrl Enter", "submit"],
      ["Shift D", "skip"],
    ],
  ],
  [
    "Review",
    [
      ["Y", "approve"],
      ["X, then 1 … 5", "return because"],
      ["R", "reject the selected object"],
      ["Ctrl Z", "withdraw the last verdict"],
      ["G", "guideline"],
    ],
  ],
  [
    "Images",
    [
      ["Arrows", "move"],
      ["Enter", "open"],
      ["Space", "select"],
      ["Shift Arrows", "select a range"],
      ["Home / End", "first / last image"],
      ["Ctrl A", "select all that match"],
      ["A", "assign the selected"],
      ["R", "reopen the selected"],
      ["Ctrl J", "auto-label"],
      ["Del", "delete the selected"],
    ],
  ],
];

export function Help() {
  if (!helpOpen.value) return null;
  return (
    <Dialog title="Keys" wide onClose={() => (helpOpen.value = false)}>
      <div class="help">
        {GROUPS.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, meaning]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
