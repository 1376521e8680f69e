import { type Adjustment, type ColorBy, type EditorSession, NO_ADJUSTMENT, type Surround } from "../editor/session";

interface Looks {
  adjustment: Adjustment;
  surround: Surround;
  colorBy: ColorBy;
}

const key = (projectId: number): string => `pixelqueue.looks.${projectId}`;
const PLAIN: Looks = { adjustment: NO_ADJUSTMENT, surround: "black", colorBy: "label" };

/** Look at a project's pictures as somebody did last in this browser. */
export function readLooks(session: EditorSession, projectId: number, storage: Storage = localStorage): void {
  const looks = { ...PLAIN, ...parsed(storage.getItem(key(projectId))) };
  session.adjustment.value = { ...NO_ADJUSTMENT, ...looks.adjustment };
  session.surround.value = looks.surround;
  session.colorBy.value = looks.colorBy;
}

export function keepLooks(session: EditorSession, projectId: number, storage: Storage = localStorage): void {
  const looks: Looks = { adjustment: session.adjustment.value, surround: session.surround.value, colorBy: session.colorBy.value };
  storage.setItem(key(projectId), JSON.stringify(looks));
}

function parsed(text: string | null): Partial<Looks> {
  try {
    return JSON.parse(text ?? "{}") as Partial<Looks>;
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
