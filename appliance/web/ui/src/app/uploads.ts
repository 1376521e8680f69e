import { signal } from "@preact/signals";

import { address } from "../api/http";
import { offline, type Problem, readProblem } from "../api/problem";
import type { Job } from "../api/types";
import { noteJob } from "./jobs";

export type UploadState = "waiting" | "sending" | "done" | "there" | "failed";

export interface Upload {
  id: number;
  projectId: number;
  name: string;
  file: File;
  state: UploadState;
  /** Share of the bytes sent, 0 to 1. */
  sent: number;
  problem: Problem | null;
}

interface Answer {
  status: number;
  text: string;
  header: (name: string) => string | null;
}

/** Send bytes and tell how far they came; tests bring their own. */
export type Send = (path: string, file: File, progress: (share: number) => void) => Promise<Answer>;

const AT_ONCE = 3;
let lastId = 0;

/** The files somebody dropped: a few are sent at once, a failed one says why and can be tried again. */
export class Uploads {
  readonly items = signal<readonly Upload[]>([]);
  private readonly send: Send;
  private sending = 0;

  constructor(send: Send = sendBytes) {
    this.send = send;
  }

  add(projectId: number, files: readonly { name: string; file: File }[]): void {
    const fresh = files.map(({ name, file }) => ({
      id: ++lastId, projectId, name, file, state: "waiting" as const, sent: 0, problem: null,
    }));
    this.items.value = [...this.items.value, ...fresh];
    this.pump();
  }

  retry(ids: ReadonlySet<number>): void {
    this.items.value = this.items.value.map((item) =>
      ids.has(item.id) && item.state === "failed" ? { ...item, state: "waiting", sent: 0, problem: null } : item,
    );
    this.pump();
  }

  /** Drop what is finished, failed files included; what is under way goes on. */
  clear(): void {
    this.items.value = this.items.value.filter((item) => item.state === "waiting" || item.state === "sending");
  }

  private pump(): void {
    while (this.sending < AT_ONCE) {
      const next = this.items.value.find((item) => item.state === "waiting");
      if (!next) return;
      this.sending++;
      this.change(next.id, { state: "sending" });
      void this.run(next).finally(() => {
        this.sending--;
        this.pump();
      });
    }
  }

  private async run(item: Upload): Promise<void> {
    const archive = /\.zip$/i.test(item.name);
    const path = `/api/projects/${item.projectId}/${archive ? "archives" : "images"}`;
    try {
      const answer = await this.send(address(path, { name: item.name }), item.file, (sent) => this.change(item.id, { sent }));
      if (answer.status >= 300) {
        this.change(item.id, { state: "failed", problem: readProblem(answer.status, answer.text, answer.header("Retry-After")) });
        return;
      }
      if (archive) noteJob(JSON.parse(answer.text) as Job);
      const there = answer.header("X-PixelQueue-Duplicate") === "1";
      this.change(item.id, { state: there ? "there" : "done", sent: 1 });
    } catch {
      this.change(item.id, { state: "failed", problem: offline() });
    }
  }

  private change(id: number, facts: Partial<Upload>): void {
    this.items.value = this.items.value.map((item) => (item.id === id ? { ...item, ...facts } : item));
  }
}

export const uploads = new Uploads();

function sendBytes(path: string, file: File, progress: (share: number) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
    request.onload = () =>
      resolve({ status: request.status, text: request.responseText, header: (name) => request.getResponseHeader(name) });
    request.onerror = () => reject(new Error("no answer"));
    request.send(file);
  });
}

interface Entry {
  isFile: boolean;
  name: string;
  fullPath: string;
}

/** The files of a drop, folders opened, each named by its path below what was dropped. */
export async function droppedFiles(data: DataTransfer): Promise<{ name: string; file: File }[]> {
  const roots = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (roots.length === 0) return [...data.files].map((file) => ({ name: file.name, file }));
  const found: { name: string; file: File }[] = [];
  for (const root of roots) await walk(root, found);
  return found;
}

async function walk(entry: FileSystemEntry & Entry, found: { name: string; file: File }[]): Promise<void> {
  if (entry.name.startsWith(".")) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ name: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = (entry as unknown as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const child of batch) await walk(child, found);
  }
}
