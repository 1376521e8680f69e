import { OPEN, type Transfer, type TransferState } from "./transfer";

const WINDOW_MS = 5_000;

/** Everything on its way into one project, counted as it changes: no question looks at all files. */
export class Group {
  readonly all = new Map<number, Transfer>();
  private readonly byState = new Map<TransferState, Set<Transfer>>();
  private readonly openInBatch = new Map<number, number>();
  private readonly samples: { atMs: number; bytes: number }[] = [];
  totalBytes = 0;
  sentBytes = 0;

  add(transfer: Transfer): void {
    this.all.set(transfer.id, transfer);
    this.totalBytes += transfer.size;
    this.of(transfer.state).add(transfer);
    this.countBatch(transfer, 1);
  }

  move(transfer: Transfer, state: TransferState): void {
    this.countBatch(transfer, -1);
    this.of(transfer.state).delete(transfer);
    transfer.state = state;
    this.of(state).add(transfer);
    this.countBatch(transfer, 1);
    const settled = state !== "waiting" && state !== "sending" && state !== "lost";
    this.progress(transfer, settled ? transfer.size : state === "sending" ? transfer.sentBytes : 0);
  }

  progress(transfer: Transfer, bytes: number): void {
    this.sentBytes += bytes - transfer.sentBytes;
    transfer.sentBytes = bytes;
  }

  remove(transfer: Transfer): void {
    if (!this.all.delete(transfer.id)) return;
    this.of(transfer.state).delete(transfer);
    this.totalBytes -= transfer.size;
    this.sentBytes -= transfer.sentBytes;
    this.countBatch(transfer, -1);
  }

  count(...states: TransferState[]): number {
    return states.reduce((sum, state) => sum + this.of(state).size, 0);
  }

  /** The first files in a state, oldest first. */
  some(state: TransferState, limit: number): Transfer[] {
    const found: Transfer[] = [];
    for (const transfer of this.of(state)) {
      if (found.length === limit) break;
      found.push(transfer);
    }
    return found;
  }

  first(state: TransferState): Transfer | undefined {
    return this.of(state).values().next().value;
  }

  each(state: TransferState): Transfer[] {
    return [...this.of(state)];
  }

  /** How many files of a batch are not settled yet. */
  open(batch: number): number {
    return this.openInBatch.get(batch) ?? 0;
  }

  /** Note how far everything came; `rate` and `leftMs` look at the last seconds. */
  sample(nowMs: number): void {
    this.samples.push({ atMs: nowMs, bytes: this.sentBytes });
    while (this.samples.length > 2 && nowMs - this.samples[0].atMs > WINDOW_MS) this.samples.shift();
  }

  /** Bytes a second over the last seconds. */
  get rate(): number {
    const [first, last] = [this.samples[0], this.samples[this.samples.length - 1]];
    if (!first || last.atMs - first.atMs < 250) return 0;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs));
  }

  /** Milliseconds that the rest will take, or null while nobody knows. */
  get leftMs(): number | null {
    const rate = this.rate;
    return rate > 0 ? ((this.totalBytes - this.sentBytes) * 1000) / rate : null;
  }

  private of(state: TransferState): Set<Transfer> {
    let found = this.byState.get(state);
    if (!found) this.byState.set(state, (found = new Set()));
    return found;
  }

  private countBatch(transfer: Transfer, by: number): void {
    if (transfer.batch === null || !OPEN.includes(transfer.state)) return;
    this.openInBatch.set(transfer.batch, this.open(transfer.batch) + by);
  }
}
