import { useEffect, useRef, useState } from "preact/hooks";

import { chosenFiles, droppedFiles } from "../../app/uploads/dropped";
import type { Named } from "../../app/uploads/transfer";
import { uploads } from "../../app/uploads/uploads";
import { Button } from "../../parts/controls";
import { count } from "../../parts/words";

const FILES = "files-to-add";

/** Open the chooser of files, as the page's own button does. */
export const chooseFiles = (): void => document.getElementById(FILES)?.click();

/** Choose files, or a folder with all that is in it. */
export function AddFiles({ projectId }: { projectId: number }) {
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement): void => {
    void uploads.take(projectId, chosenFiles(input.files));
    input.value = "";
  };
  const input = { class: "unseen", type: "file", multiple: true, tabIndex: -1 } as const;
  return (
    <>
      <Button kind="quiet" icon="folder" onClick={() => folder.current?.click()}>
        Add a folder
      </Button>
      <Button kind="primary" icon="upload" onClick={chooseFiles}>
        Add images
      </Button>
      <input id={FILES} {...input} aria-label="Files to add" onChange={(event) => take(event.currentTarget)} />
      <input
        ref={folder}
        {...input}
        {...{ webkitdirectory: true }}
        aria-label="Folder to add"
        onChange={(event) => take(event.currentTarget)}
      />
    </>
  );
}

/** What a page needs to be dropped on, and the words to show meanwhile. */
export function useDrop(projectId: number, name: string) {
  const [over, setOver] = useState(false);
  const [looking, setLooking] = useState<number | null>(null);
  useEffect(() => void uploads.resume(projectId), [projectId]);
  const take = async (data: DataTransfer): Promise<void> => {
    const found: Named[] = await droppedFiles(data, setLooking).finally(() => setLooking(null));
    await uploads.take(projectId, found);
  };
  const handlers = {
    onDragOver: (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (event.currentTarget === event.target) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer) void take(event.dataTransfer);
    },
  };
  const words = over ? `Drop to add to ${name}` : looking === null ? null : `Looking through the folder: ${count(looking)} files`;
  return { handlers, words };
}
