import { describe, expect, it } from "vitest";

import { helpLines } from "../../src/app/help";
import { ACTION_IDS, ACTIONS, actionFor, type ActionId, keysOf, keyWords, LISTENING, PRESETS } from "../../src/app/keymap";
import { dispatch, keyName } from "../../src/app/keys";

const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
  ({ key, code: "", ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, repeat: false, ...more }) as KeyboardEvent;

/** The table of conventions: what a key does. */
const CONVENTIONS: readonly (readonly [string, ActionId])[] = [
  ["d", "next"], ["a", "previous"], ["v", "select"], ["ctrl+enter", "submit"], ["b", "box"], ["shift+d", "skip"],
  ["p", "polygon"], ["ctrl+z", "undo"], ["ctrl+shift+z", "redo"], ["ctrl+y", "redo"], ["r", "rotated_box"],
  ["s", "segment"], ["n", "repeat"], ["enter", "finish"], ["m", "brush"], ["e", "eraser"], ["[", "brush-smaller"], ["]", "brush-larger"],
  ["escape", "cancel"], ["k", "keypoints"], ["delete", "delete"], ["backspace", "delete"], ["l", "polyline"],
  ["ctrl+c", "copy"], ["ctrl+v", "paste"], ["ctrl+d", "duplicate"], ["1", "label-1"], ["9", "label-9"],
  ["0", "find-label"], ["ctrl+b", "propagate"], ["h", "hide"], ["shift+l", "lock"], ["tab", "cycle"],
  ["shift+tab", "cycle-back"], ["ctrl+j", "auto-label"], ["y", "accept"], ["x", "reject"], ["f", "fit"],
  ["shift+0", "actual-size"], ["?", "help"], ["f1", "help"], ["g", "guideline"],
];

describe("key map", () => {
  it.each(PRESETS)("of %s has no key twice where actions listen together", (preset) => {
    for (const [name, contexts] of Object.entries(LISTENING)) {
      const keys = ACTION_IDS.filter((id) => contexts.includes(ACTIONS[id].where)).flatMap((id) => keysOf(id, preset));
      const twice = keys.filter((key, i) => keys.indexOf(key) !== i);
      expect({ name, twice }).toEqual({ name, twice: [] });
    }
  });

  it("has every key of the conventions", () => {
    const annotate = ACTION_IDS.filter((id) => LISTENING.annotate.includes(ACTIONS[id].where));
    for (const [key, id] of CONVENTIONS) expect([key, actionFor(key, annotate, "pixelqueue")]).toEqual([key, id]);
    const judging = ACTION_IDS.filter((id) => LISTENING.review.includes(ACTIONS[id].where));
    expect(["y", "x", "3", "ctrl+z"].map((key) => actionFor(key, judging, "pixelqueue"))).toEqual(["approve", "return", "reason-3", "withdraw"]);
  });

  it("tells what only a pointer does", () => {
    const told = [...helpLines("pixelqueue").values()].flat().flatMap((line) => line.keys);
    for (const gesture of ["Alt click", "click on an edge", "wheel, pinch", "Space drag, middle drag, two fingers"]) expect(told).toContain(gesture);
  });

  it.each(PRESETS)("of %s leaves no action without a key or a word for it", (preset) => {
    const lines = [...helpLines(preset).values()].flat();
    expect(lines.filter(({ keys, words }) => keys.length === 0 || words === "")).toEqual([]);
    for (const id of ACTION_IDS) for (const key of keysOf(id, preset)) expect(lines.flatMap((line) => line.keys)).toContain(keyWords(key));
  });

  it("knows the presets' own keys", () => {
    const annotate = ACTION_IDS.filter((id) => LISTENING.annotate.includes(ACTIONS[id].where));
    expect(["f", "d", "l", "ctrl+3"].map((key) => actionFor(key, annotate, "cvat"))).toEqual(["next", "previous", "lock", "label-3"]);
    expect(["r", "b", "alt+h", "ctrl+space"].map((key) => actionFor(key, annotate, "label-studio"))).toEqual(["box", "brush", "hide", "skip"]);
  });
});

describe("keyName", () => {
  it("goes by place for digits and brackets, by letter for letters", () => {
    expect(keyName(press("Z", { code: "KeyW", ctrlKey: true, shiftKey: true }))).toBe("ctrl+shift+z");
    expect(keyName(press("&", { code: "Digit1" }))).toBe("1");
    expect(keyName(press("ü", { code: "BracketLeft" }))).toBe("[");
    expect(keyName(press("=", { code: "Digit0", shiftKey: true }))).toBe("shift+0");
    expect(keyName(press("?", { code: "Slash", shiftKey: true }))).toBe("?");
    expect(keyName(press("z", { code: "KeyZ", metaKey: true }))).toBe("ctrl+z");
  });

  it("goes by place where the layout has no Latin letters", () => {
    expect(keyName(press("в", { code: "KeyD" }))).toBe("d");
    expect(keyName(press("Я", { code: "KeyZ", ctrlKey: true, shiftKey: true }))).toBe("ctrl+shift+z");
  });
});

describe("dispatch", () => {
  it("runs once for a held key unless the action repeats", () => {
    const runs: string[] = [];
    const handlers = { approve: () => void runs.push("approve"), next: () => void runs.push("next") };
    expect(dispatch(handlers, press("y"))).toBe(true);
    expect(dispatch(handlers, press("y", { repeat: true }))).toBe(true);
    dispatch(handlers, press("d"));
    dispatch(handlers, press("d", { repeat: true }));
    expect(dispatch(handlers, press("q"))).toBe(false);
    expect(runs).toEqual(["approve", "next", "next"]);
  });

  it("leaves a key to the browser when the handler has no use for it", () => {
    expect(dispatch({ cycle: () => false }, press("Tab"))).toBe(false);
  });

  it("goes by the preset", () => {
    const runs: string[] = [];
    dispatch({ next: () => void runs.push("next"), fit: () => void runs.push("fit") }, press("f"), "cvat");
    expect(runs).toEqual(["next"]);
  });
});
