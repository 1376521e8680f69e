import { type Adjustment, type ColorBy, type Crosshair, type EditorSession, NO_ADJUSTMENT, type Surround } from "../editor/session";

interface Looks {
  adjustment: Adjustment;
  surround: Surround;
  colorBy: ColorBy;
  names: boolean;
  crosshair: Crosshair;
}

const key = (projectId: number): string => `pixelqueue.looks.${projectId}`;
const PLAIN: Looks = { adjustment: NO_ADJUSTMENT, surround: "black", colorBy: "label", names: true, crosshair: "lines" };

/** Look at a project's pictures as somebody did last in this browser. */
export function readLooks(session: EditorSession, projectId: number, storage: Storage = localStorage): void {
  const looks = { ...PLAIN, ...parsed(storage.getItem(key(projectId))) };
  session.adjustment.value = { ...NO_ADJUSTMENT, ...looks.adjustment };
  session.surround.value = looks.surround;
  session.colorBy.value = looks.colorBy;
  session.names.value = looks.names;
  session.crosshair.value = looks.crosshair;
}

export function keepLooks(session: EditorSession, projectId: number, storage: Storage = localStorage): void {
  const looks: Looks = {
    adjustment: session.adjustment.value,
    surround: session.surround.value,
    colorBy: session.colorBy.value,
    names: session.names.value,
    crosshair: session.crosshair.value,
  };
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
