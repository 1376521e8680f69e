import { type DBSchema, type IDBPDatabase, openDB } from "idb";

import { images, projects } from "../api/client";
import type { ImageAnnotations, ImageWithTask, Label, ProjectRow, Session } from "../api/types";

/** The answers of the box that the open image was made of. */
export interface Recalled {
  session: Session;
  projectId: number;
  imageId: number;
  name: string;
  /** By the address they were the answers of. */
  answers: ReadonlyMap<string, unknown>;
}

interface Facts {
  session: Session;
  project: ProjectRow;
  labels: readonly Label[];
  image: ImageWithTask;
  held: Omit<ImageAnnotations, "late">;
}

interface Schema extends DBSchema {
  last: { key: 1; value: Recalled };
}

let opening: Promise<IDBPDatabase<Schema>> | null = null;

const database = async (): Promise<IDBPDatabase<Schema>> =>
  (opening ??= openDB<Schema>("pixelqueue-recall", 1, {
    upgrade: (made) => void made.createObjectStore("last"),
    blocking: (_now, _wanted, event) => (event.target as IDBDatabase).close(),
  }));

/**
 * The image somebody last had open in this browser, so that it opens again while the box is away.
 *
 * One image of one person, until that person signs out or another one signs in; what is unsent of
 * it is in the journal and goes on top. Where the browser keeps nothing, there is nothing to recall.
 */
export const recall = {
  async keep({ session, project, labels, image, held }: Facts): Promise<void> {
    const at = projects.address(project.id);
    const answers = new Map<string, unknown>([
      [at, project],
      [`${at}/labels`, { items: labels }],
      [images.address(project.id, image.id), image],
      [`${images.address(project.id, image.id)}/annotations`, held],
    ]);
    const last = { session, projectId: project.id, imageId: image.id, name: image.name, answers };
    await database().then((found) => found.put("last", last, 1)).catch(() => undefined);
  },

  last: async (): Promise<Recalled | null> =>
    database().then(async (found) => (await found.get("last", 1)) ?? null).catch(() => null),

  forget: (): Promise<void> => database().then((found) => found.delete("last", 1)).catch(() => undefined),
};
