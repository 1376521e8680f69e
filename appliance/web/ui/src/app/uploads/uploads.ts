import { effect, signal } from "@preact/signals-core";

import { http } from "../../api/client";
import { Problem, toProblem } from "../../api/problem";
import type { Job, Preview } from "../../api/types";
import { noteJob } from "../jobs";
import { me } from "../session";
import { isArchive, isDataset, pack } from "./dataset";
import { Kept, type KeptFile } from "./kept";
import { livingPages, thisPage } from "./pages";
import { Queue, type Send } from "./queue";
import { sendFile } from "./send";
import type { Named, Transfer } from "./transfer";

/** A dataset that is on the box; nothing of it is in the project until somebody decides. */
export interface Dataset {
  transfer: Transfer;
  preview: Preview | null;
  problem: Problem | null;
  /** Pictures of a folder, which are sent once it is decided that they shall be. */
  pictures: readonly Named[];
}

/** What a person knows the dataset by: a folder, or the file that was chosen. */
export const nameOf = ({ transfer, pictures }: Dataset): string =>
  pictures.length > 0 ? transfer.name.replace(/\.zip$/, "") : transfer.name;

export type Decision = "everything" | "pictures" | "nothing";

const FORGET_MS = 300;
const AGAIN_MS = 5_000;
let lastId = 0;

/** Files from here to the box: what is dropped, what was left from before a reload, what waits for a decision. */
export class Uploads {
  readonly queue: Queue;
  readonly datasets = signal<readonly Dataset[]>([]);
  private readonly kept: Kept;
  private readonly resumed = new Set<string>();
  private readonly folders = new Map<number, readonly Named[]>();
  private readonly settledKeys: number[] = [];
  private userId: number | null = null;

  constructor(send: Send = sendFile, kept: Kept = new Kept(thisPage)) {
    this.kept = kept;
    this.queue = new Queue(send, { answers: () => http.get("/api/health") });
    this.queue.onSettled = (transfer) => this.settled(transfer);
    this.queue.onBegan = (transfer) => void this.kept.began(transfer);
  }

  /** Follow who is signed in: nobody sends what somebody else chose. */
  follow(userId: number | null): void {
    if (userId === null) return this.queue.pause("signed-out");
    if (this.userId !== null && this.userId !== userId) {
      this.queue.reset();
      this.resumed.clear();
      this.folders.clear();
      this.datasets.value = [];
    }
    this.userId = userId;
    if (this.queue.halt.value === "signed-out") this.queue.go();
  }

  /** Take what was dropped or chosen: archives, a dataset's files, pictures. */
  async take(projectId: number, files: readonly Named[]): Promise<void> {
    const fresh = this.found(projectId, files);
    const rest = fresh.filter((file) => !isArchive(file));
    this.add(projectId, fresh.filter(isArchive));
    if (rest.length === 0) return;
    if (!(await isDataset(rest))) {
      this.add(projectId, rest);
      return;
    }
    const packed = await pack(rest);
    const [transfer] = this.add(projectId, [{ name: packed.name, file: packed.data }]);
    this.folders.set(transfer.id, packed.pictures);
  }

  /** Go on with what this browser had still to send when the page was left. */
  async resume(projectId: number): Promise<void> {
    const userId = this.userId;
    const turn = `${userId}/${projectId}`;
    if (userId === null || this.resumed.has(turn)) return;
    this.resumed.add(turn);
    const files = await this.kept.adopt(userId, projectId, await livingPages());
    const batches = await this.kept.batches(userId, projectId);
    if (userId !== this.userId) return;
    const transfers = files.map(transferOf);
    this.queue.add(transfers);
    for (const transfer of transfers) if (transfer.state === "ready") void this.look(transfer);
    for (const { batch } of batches) if (this.queue.group(projectId).open(batch) === 0) void this.importBatch(projectId, batch);
  }

  retry(transfers: readonly Transfer[]): void {
    this.queue.retry(transfers);
    this.keep(transfers);
  }

  /** Drop files that are not on the box yet; what came of them there is dropped too. */
  drop(transfers: readonly Transfer[]): void {
    this.queue.drop(transfers);
    this.forget(transfers);
    const gone = new Set(transfers);
    this.datasets.value = this.datasets.value.filter(({ transfer }) => !gone.has(transfer));
    for (const { url } of transfers) if (url) void dropUpload(url);
  }

  /** Forget what is finished. */
  clear(projectId: number): void {
    const group = this.queue.group(projectId);
    this.queue.drop([...group.each("done"), ...group.each("there"), ...group.each("failed")]);
  }

  /** Do with a dataset what somebody decided after looking at it. */
  async decide({ transfer, pictures }: Dataset, decision: Decision): Promise<void> {
    const { projectId } = transfer;
    const apart = pictures.length > 0;
    if (decision === "nothing") return this.drop([transfer]);
    if (apart && decision === "pictures") {
      this.add(projectId, pictures);
      return this.drop([transfer]);
    }
    if (apart) {
      const batch = idOf(transfer);
      const userId = this.userId ?? 0;
      await this.kept.keepBatch({ userId, projectId, batch });
      this.add(projectId, pictures, batch);
    } else noteJob(await http.post<Job>(`${transfer.url}/import`, { take: decision }));
    this.queue.drop([transfer]);
    this.forget([transfer]);
    this.datasets.value = this.datasets.value.filter((dataset) => dataset.transfer !== transfer);
  }

  /** Look into a dataset that came whole; one that holds pictures only is imported at once. */
  async look(transfer: Transfer): Promise<void> {
    const pictures = this.folders.get(transfer.id) ?? [];
    this.put({ transfer, pictures, preview: null, problem: null });
    try {
      const preview = await http.get<Preview>(`${transfer.url}/preview`);
      const dataset = { transfer, pictures, preview, problem: null };
      if (preview.format === null && preview.pictures > 0) return await this.decide(dataset, "pictures");
      const problem = preview.format === null ? unknown(transfer.name) : null;
      this.put({ ...dataset, problem });
    } catch (error) {
      this.put({ transfer, pictures, preview: null, problem: toProblem(error) });
    }
  }

  private put(dataset: Dataset): void {
    const others = this.datasets.value.filter(({ transfer }) => transfer !== dataset.transfer);
    this.datasets.value = [...others, dataset];
  }

  private add(projectId: number, files: readonly Named[], batch: number | null = null): Transfer[] {
    const transfers = files.map(({ name, file }) => transferOf({
      name, file, projectId, batch, size: file.size, modified: file.lastModified, url: null,
    }));
    this.queue.add(transfers);
    this.keep(transfers);
    return transfers;
  }

  /** Give files that were lost their bytes back where they are chosen again; return the others. */
  private found(projectId: number, files: readonly Named[]): Named[] {
    const group = this.queue.group(projectId);
    if (group.count("lost") === 0) return [...files];
    const lost = new Map(group.each("lost").map((one) => [markOf(one.name, one.size, one.modified), one]));
    const again: Transfer[] = [];
    const rest = files.filter(({ name, file }) => {
      const transfer = lost.get(markOf(name, file.size, file.lastModified));
      if (!transfer) return true;
      transfer.file = file;
      again.push(transfer);
      return false;
    });
    this.queue.retry(again);
    return rest;
  }

  private keep(transfers: readonly Transfer[]): void {
    const userId = this.userId;
    if (userId === null) return;
    void roomBytes().then((room) => this.kept.keep(userId, transfers, room));
  }

  private settled(transfer: Transfer): void {
    if (transfer.state === "ready") {
      void this.kept.arrived(transfer);
      void this.look(transfer);
      return;
    }
    if (transfer.state !== "lost") this.forget([transfer]);
    const { projectId, batch } = transfer;
    if (batch !== null && this.queue.group(projectId).open(batch) === 0) void this.importBatch(projectId, batch);
  }

  private async importBatch(projectId: number, batch: number): Promise<void> {
    try {
      noteJob(await http.post<Job>(`/api/projects/${projectId}/uploads/${batch}/import`, { take: "everything" }));
    } catch (error) {
      if (toProblem(error).transient) {
        setTimeout(() => void this.importBatch(projectId, batch), AGAIN_MS);
        return;
      }
    }
    await this.kept.forgetBatch({ userId: this.userId ?? 0, projectId, batch });
  }

  private forget(transfers: readonly Transfer[]): void {
    const keys = transfers.map(({ key }) => key).filter((key) => key !== null);
    if (keys.length > 0 && this.settledKeys.length === 0) {
      setTimeout(() => void this.kept.forget(this.settledKeys.splice(0)), FORGET_MS);
    }
    this.settledKeys.push(...keys);
  }
}

function transferOf(from: Omit<KeptFile, "userId" | "page">): Transfer {
  const { name, file, url, key } = from;
  const state = file ? "waiting" : url && /\.(zip|json)$/i.test(name) ? "ready" : "lost";
  return {
    id: ++lastId, projectId: from.projectId, name, size: from.size, modified: from.modified, file, state,
    sentBytes: 0, problem: null, url, batch: from.batch, key: key ?? null, tries: 0,
  };
}

const idOf = ({ url }: Transfer): number => Number(url?.split("/").pop());

const markOf = (name: string, size: number, modified: number): string => `${name.split("/").pop()}|${size}|${modified}`;

const unknown = (name: string): Problem =>
  new Problem(422, { file: name, detail: "This is neither a dataset the box knows (COCO, YOLO) nor are there pictures in it." });

/** How much the browser may be asked to keep: half of what it still offers. */
async function roomBytes(): Promise<number> {
  const estimate = typeof navigator === "undefined" ? null : await navigator.storage?.estimate().catch(() => null);
  return ((estimate?.quota ?? 0) - (estimate?.usage ?? 0)) / 2;
}

/** The request that was broken off may hold the upload for a moment; what stays all the same expires. */
async function dropUpload(url: string, tries = 3): Promise<void> {
  const answer = await fetch(url, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0" } }).catch(() => null);
  if (answer?.status === 423 && tries > 0) setTimeout(() => void dropUpload(url, tries - 1), 1_000);
}

export const uploads = new Uploads();
effect(() => uploads.follow(me.value?.id ?? null));
