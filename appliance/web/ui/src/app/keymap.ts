/** Every key of the console: bindings, tooltips and the help overlay are made from this table. */

export type Preset = "pixelqueue" | "cvat" | "label-studio";
export type Context = "everywhere" | "projects" | "images" | "picture" | "annotate" | "review" | "judge";

export const PRESETS: readonly (readonly [Preset, string])[] = [
  ["pixelqueue", "PixelQueue"],
  ["cvat", "CVAT"],
  ["label-studio", "Label Studio"],
];

/** Contexts that listen at the same time: in none of them may two actions share a key. */
export const LISTENING: Readonly<Record<string, readonly Context[]>> = {
  projects: ["everywhere", "projects"],
  images: ["everywhere", "images"],
  annotate: ["everywhere", "picture", "annotate"],
  review: ["everywhere", "picture", "review", "judge"],
  "review, editing": ["everywhere", "picture", "review", "annotate"],
};

export interface Action {
  group: string;
  words: string;
  where: Context;
  /** Names as `keyName` makes them; none for what only a pointer does. */
  keys: readonly string[];
  cvat?: readonly string[];
  labelStudio?: readonly string[];
  /** A held key does it again and again. */
  repeats?: true;
  /** What the help shows in place of the keys. */
  shown?: string;
}

const table = <T extends string>(actions: Record<T, Action>): Record<T, Action> => actions;

type Digit = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

const label = (n: Digit): Action => ({
  group: "Labels", words: "the label with that number", where: "annotate", keys: [`${n}`], cvat: [`ctrl+${n}`],
});
const reason = (n: Digit): Action => ({ group: "Review", words: "return for the reason with that number", where: "judge", keys: [`${n}`] });

const move = (key: string): Action => ({ group: "Images", words: "move", where: "images", keys: [key], repeats: true });
const range = (key: string): Action => ({ ...move(`shift+${key}`), words: "select a range" });

export const ACTIONS = table({
  help: { group: "Everywhere", words: "these keys", where: "everywhere", keys: ["?", "f1"] },
  find: { group: "Everywhere", words: "find a project", where: "projects", keys: ["/"] },
  "new-project": { group: "Everywhere", words: "new project", where: "projects", keys: ["n"] },

  next: { group: "Picture", words: "next image", where: "picture", keys: ["d"], cvat: ["f"], repeats: true },
  previous: { group: "Picture", words: "previous image", where: "picture", keys: ["a"], cvat: ["d"], repeats: true },
  fit: { group: "Picture", words: "fit", where: "picture", keys: ["f"], cvat: ["shift+0"] },
  "actual-size": { group: "Picture", words: "100 %", where: "picture", keys: ["shift+0"], cvat: ["shift+1"] },
  "zoom-in": { group: "Picture", words: "zoom in", where: "picture", keys: ["+", "="], repeats: true },
  "zoom-out": { group: "Picture", words: "zoom out", where: "picture", keys: ["-"], repeats: true },
  zoom: { group: "Picture", words: "zoom; a trackpad scroll pans", where: "picture", keys: [], shown: "wheel, pinch" },
  pan: { group: "Picture", words: "pan", where: "picture", keys: [], shown: "Space drag, middle drag, two fingers" },
  cycle: { group: "Picture", words: "next object, with the canvas in focus", where: "picture", keys: ["tab"], labelStudio: ["tab", "alt+."], repeats: true },
  "cycle-back": { group: "Picture", words: "previous object", where: "picture", keys: ["shift+tab"], repeats: true },
  region: { group: "Picture", words: "on to tools, panel, bar and back", where: "picture", keys: ["f6"] },
  hide: { group: "Picture", words: "hide the selection, or everything", where: "picture", keys: ["h"], labelStudio: ["alt+h"] },
  names: { group: "Picture", words: "names beside shapes, or none", where: "picture", keys: ["t"] },
  chrome: { group: "Picture", words: "picture alone, without bars and panels", where: "picture", keys: ["\\", "shift+f"] },
  comment: { group: "Picture", words: "comment on what is under the pointer, or selected", where: "picture", keys: ["c"] },
  guideline: { group: "Picture", words: "guideline", where: "picture", keys: ["g"] },

  select: { group: "Tools", words: "select", where: "annotate", keys: ["v"] },
  box: { group: "Tools", words: "box", where: "annotate", keys: ["b"], labelStudio: ["r"] },
  polygon: { group: "Tools", words: "polygon", where: "annotate", keys: ["p"] },
  rotated_box: { group: "Tools", words: "rotated box", where: "annotate", keys: ["r"], labelStudio: ["shift+r"] },
  brush: { group: "Tools", words: "brush", where: "annotate", keys: ["m"], labelStudio: ["b"] },
  eraser: { group: "Tools", words: "eraser", where: "annotate", keys: ["e"] },
  "brush-smaller": { group: "Tools", words: "smaller brush", where: "annotate", keys: ["["], repeats: true },
  "brush-larger": { group: "Tools", words: "larger brush", where: "annotate", keys: ["]"], repeats: true },
  keypoints: { group: "Tools", words: "keypoints, skeleton", where: "annotate", keys: ["k"] },
  polyline: { group: "Tools", words: "polyline", where: "annotate", keys: ["l"], cvat: ["shift+l"] },
  segment: { group: "Tools", words: "smart segment: click +, right click −, or drag a box", where: "annotate", keys: ["s"] },
  repeat: { group: "Tools", words: "draw with the last tool again", where: "annotate", keys: ["n"] },
  finish: { group: "Tools", words: "finish the shape; so do its first vertex and a double click", where: "annotate", keys: ["enter"] },
  cancel: { group: "Tools", words: "cancel, clear the selection", where: "picture", keys: ["escape"], labelStudio: ["escape", "u"] },

  undo: { group: "Edit", words: "undo", where: "annotate", keys: ["ctrl+z"], repeats: true },
  redo: { group: "Edit", words: "redo", where: "annotate", keys: ["ctrl+shift+z", "ctrl+y"], repeats: true },
  delete: { group: "Edit", words: "delete the selection, or the vertex under the pointer", where: "annotate", keys: ["delete", "backspace"], cvat: ["delete", "shift+delete", "backspace"] },
  "delete-vertex": { group: "Edit", words: "delete a vertex", where: "annotate", keys: [], shown: "Alt click" },
  "insert-vertex": { group: "Edit", words: "insert a vertex", where: "annotate", keys: [], shown: "click on an edge" },
  copy: { group: "Edit", words: "copy", where: "annotate", keys: ["ctrl+c"] },
  paste: { group: "Edit", words: "paste", where: "annotate", keys: ["ctrl+v"] },
  duplicate: { group: "Edit", words: "duplicate", where: "annotate", keys: ["ctrl+d"] },
  propagate: { group: "Edit", words: "propagate to the next images", where: "annotate", keys: ["ctrl+b"] },
  lock: { group: "Edit", words: "lock the selection", where: "annotate", keys: ["shift+l"], cvat: ["l"], labelStudio: ["alt+l"] },
  "move-left": { group: "Edit", words: "move by 1 px", where: "annotate", keys: ["arrowleft"], repeats: true },
  "move-right": { group: "Edit", words: "move by 1 px", where: "annotate", keys: ["arrowright"], repeats: true },
  "move-up": { group: "Edit", words: "move by 1 px", where: "annotate", keys: ["arrowup"], repeats: true },
  "move-down": { group: "Edit", words: "move by 1 px", where: "annotate", keys: ["arrowdown"], repeats: true },
  "move-left-far": { group: "Edit", words: "move by 10 px", where: "annotate", keys: ["shift+arrowleft"], repeats: true },
  "move-right-far": { group: "Edit", words: "move by 10 px", where: "annotate", keys: ["shift+arrowright"], repeats: true },
  "move-up-far": { group: "Edit", words: "move by 10 px", where: "annotate", keys: ["shift+arrowup"], repeats: true },
  "move-down-far": { group: "Edit", words: "move by 10 px", where: "annotate", keys: ["shift+arrowdown"], repeats: true },

  "label-1": label(1), "label-2": label(2), "label-3": label(3), "label-4": label(4), "label-5": label(5),
  "label-6": label(6), "label-7": label(7), "label-8": label(8), "label-9": label(9),
  "find-label": { group: "Labels", words: "search a label", where: "annotate", keys: ["0"], cvat: ["ctrl+0"] },

  accept: { group: "Predictions", words: "accept the prediction", where: "annotate", keys: ["y"] },
  reject: { group: "Predictions", words: "reject the prediction", where: "annotate", keys: ["x"] },
  "accept-all": { group: "Predictions", words: "accept all that show", where: "annotate", keys: ["shift+y"] },
  "auto-label": { group: "Predictions", words: "auto-label this image", where: "annotate", keys: ["ctrl+j"] },

  submit: { group: "Task", words: "submit; in review, approve what you fixed", where: "annotate", keys: ["ctrl+enter"] },
  skip: { group: "Task", words: "skip", where: "annotate", keys: ["shift+d"], labelStudio: ["ctrl+space"] },

  approve: { group: "Review", words: "approve", where: "judge", keys: ["y"] },
  return: { group: "Review", words: "return, then a digit for the reason", where: "judge", keys: ["x"] },
  "reason-1": reason(1), "reason-2": reason(2), "reason-3": reason(3), "reason-4": reason(4), "reason-5": reason(5),
  "reject-object": { group: "Review", words: "reject the selected object", where: "judge", keys: ["r", "delete"] },
  withdraw: { group: "Review", words: "withdraw the last verdict", where: "judge", keys: ["ctrl+z"] },
  "edit-here": { group: "Review", words: "edit on the spot", where: "judge", keys: ["e"] },
  before: { group: "Review", words: "what the model made, and back", where: "judge", keys: ["b"] },

  "cell-left": move("arrowleft"),
  "cell-right": move("arrowright"),
  "cell-up": move("arrowup"),
  "cell-down": move("arrowdown"),
  "cell-page-up": move("pageup"),
  "cell-page-down": move("pagedown"),
  "cell-first": { ...move("home"), words: "first / last image" },
  "cell-last": { ...move("end"), words: "first / last image" },
  "range-left": range("arrowleft"),
  "range-right": range("arrowright"),
  "range-up": range("arrowup"),
  "range-down": range("arrowdown"),
  "range-page-up": range("pageup"),
  "range-page-down": range("pagedown"),
  "range-first": range("home"),
  "range-last": range("end"),
  "open-image": { group: "Images", words: "open", where: "images", keys: ["enter"] },
  "select-image": { group: "Images", words: "select", where: "images", keys: ["space"] },
  "select-to-image": { group: "Images", words: "select a range", where: "images", keys: ["shift+space"] },
  "select-all-images": { group: "Images", words: "select all that match", where: "images", keys: ["ctrl+a"] },
  "clear-images": { group: "Images", words: "clear the selection", where: "images", keys: ["escape"] },
  "find-image": { group: "Images", words: "find an image", where: "images", keys: ["/"] },
  "outline-images": { group: "Images", words: "annotations over the thumbnails, or none", where: "images", keys: ["o"] },
  "assign-images": { group: "Images", words: "assign the selected", where: "images", keys: ["a"] },
  "plan-images": { group: "Images", words: "priority and due date of the selected", where: "images", keys: ["p"] },
  "reopen-images": { group: "Images", words: "reopen the selected", where: "images", keys: ["r"] },
  "auto-label-images": { group: "Images", words: "auto-label", where: "images", keys: ["ctrl+j"] },
  "delete-images": { group: "Images", words: "delete the selected", where: "images", keys: ["delete"] },
});

export type ActionId = keyof typeof ACTIONS;
export const ACTION_IDS = Object.keys(ACTIONS) as ActionId[];

/** The keys of an action under a preset. */
export function keysOf(id: ActionId, preset: Preset): readonly string[] {
  const action: Action = ACTIONS[id];
  const own = preset === "cvat" ? action.cvat : preset === "label-studio" ? action.labelStudio : undefined;
  return own ?? action.keys;
}

/** The action a key means, among those somebody listens for. */
export function actionFor(name: string, ids: readonly ActionId[], preset: Preset): ActionId | null {
  return ids.find((id) => keysOf(id, preset).includes(name)) ?? null;
}

const WORDS: Readonly<Record<string, string>> = {
  ctrl: "Ctrl", shift: "Shift", alt: "Alt", enter: "↵", escape: "Esc", delete: "Del", backspace: "Backspace",
  pageup: "Page up", pagedown: "Page down", home: "Home", end: "End", tab: "Tab", space: "Space", arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓",
};

/** "Ctrl Z" of `ctrl+z`. */
export function keyWords(name: string): string {
  const parts = name === "+" ? ["+"] : name.split("+");
  return parts.map((part) => WORDS[part] ?? (part.length === 1 || /^f\d+$/.test(part) ? part.toUpperCase() : part)).join(" ");
}
