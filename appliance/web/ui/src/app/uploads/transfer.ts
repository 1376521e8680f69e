import type { Problem } from "../../api/problem";

/**
 * `ready` is a dataset that is on the box and waits for a decision; `lost` a file that the browser
 * cannot read any more, so that somebody has to choose it again.
 */
export type TransferState = "waiting" | "sending" | "done" | "there" | "ready" | "failed" | "lost" | "dropped";

/** A file as it was dropped or chosen; the name has folders where it came in some. */
export interface Named {
  name: string;
  file: File;
}

/** One file on its way to the box. */
export interface Transfer {
  readonly id: number;
  readonly projectId: number;
  readonly name: string;
  readonly size: number;
  readonly modified: number;
  file: Blob | null;
  state: TransferState;
  sentBytes: number;
  problem: Problem | null;
  /** Where the box keeps what has come of it; known once a large file has begun. */
  url: string | null;
  /** The upload of the dataset that a picture belongs to. */
  batch: number | null;
  /** Its record in the browser's own store. */
  key: number | null;
  tries: number;
}

export const OPEN: readonly TransferState[] = ["waiting", "sending", "lost"];
