import type { Named } from "./transfer";

/** The files of a drop, folders opened, each named by its path below what was dropped. */
export async function droppedFiles(data: DataTransfer, found: (count: number) => void = () => undefined): Promise<Named[]> {
  const roots = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (roots.length === 0) return chosenFiles(data.files);
  const files: Named[] = [];
  for (const root of roots) await walk(root, files, found);
  return files;
}

/** The files of a chooser; a folder's have their path. */
export function chosenFiles(list: FileList | null): Named[] {
  return [...(list ?? [])]
    .map((file) => ({ name: file.webkitRelativePath || file.name, file }))
    .filter(({ name }) => !name.split("/").some((part) => part.startsWith(".")));
}

async function walk(entry: FileSystemEntry, files: Named[], found: (count: number) => void): Promise<void> {
  if (entry.name.startsWith(".")) return;
  if (entry.isFile) {
    files.push({ name: entry.fullPath.replace(/^\//, ""), file: await fileOf(entry as FileSystemFileEntry) });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    const plain = batch.filter((child) => child.isFile && !child.name.startsWith(".")) as FileSystemFileEntry[];
    const opened = await Promise.all(plain.map(fileOf));
    opened.forEach((file, index) => files.push({ name: plain[index].fullPath.replace(/^\//, ""), file }));
    found(files.length);
    for (const child of batch) if (child.isDirectory) await walk(child, files, found);
  }
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));
