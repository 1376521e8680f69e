/** A tile that is wanted, by the key it is known under and its address. */
export interface Wanted {
  readonly key: string;
  readonly url: string;
}

/** What the worker is told: all that is wanted now, the most urgent first, and the last delivery that came. */
export interface Order {
  readonly wanted: readonly Wanted[];
  readonly received: number;
}

/** What it answers, numbered from 1, once for each tile it was not told to drop. */
export type Delivery<T> =
  | { readonly number: number; readonly key: string; readonly tile: T }
  | { readonly number: number; readonly key: string; readonly status: number };

type Load<T> = (url: string, signal: AbortSignal) => Promise<T>;

/** A tile that the box does not hand out; 0 where it did not answer. */
export class TileRefused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The box answered ${status} for a tile.`);
    this.status = status;
  }
}

const AT_ONCE = 6;

/** Loads what is wanted, a few at a time; a new order drops what only an older one wanted. */
export class TileQueue<T> {
  private readonly load: Load<T>;
  private readonly deliver: (delivery: Delivery<T>) => void;
  private readonly loading = new Map<string, AbortController>();
  /** Deliveries on their way: an order that crosses one still names its tile. */
  private readonly sent = new Map<string, number>();
  private wanted: readonly Wanted[] = [];
  private number = 0;

  constructor(load: Load<T>, deliver: (delivery: Delivery<T>) => void) {
    this.load = load;
    this.deliver = deliver;
  }

  take({ wanted: tiles, received }: Order): void {
    for (const [key, number] of this.sent) if (number <= received) this.sent.delete(key);
    this.wanted = tiles.filter(({ key }) => !this.sent.has(key));
    const wanted = new Set(this.wanted.map(({ key }) => key));
    for (const [key, abort] of this.loading) {
      if (wanted.has(key)) continue;
      this.loading.delete(key);
      abort.abort();
    }
    this.fill();
  }

  private fill(): void {
    for (const one of this.wanted) {
      if (this.loading.size >= AT_ONCE) return;
      if (!this.loading.has(one.key)) void this.fetch(one);
    }
  }

  private async fetch({ key, url }: Wanted): Promise<void> {
    const abort = new AbortController();
    this.loading.set(key, abort);
    let outcome: { tile: T } | { status: number };
    try {
      outcome = { tile: await this.load(url, abort.signal) };
    } catch (error) {
      outcome = { status: error instanceof TileRefused ? error.status : 0 };
    }
    if (this.loading.get(key) !== abort) {
      if ("tile" in outcome) discard(outcome.tile);
      return;
    }
    this.loading.delete(key);
    this.wanted = this.wanted.filter((one) => one.key !== key);
    this.sent.set(key, ++this.number);
    this.deliver({ number: this.number, key, ...outcome });
    this.fill();
  }
}

function discard(tile: unknown): void {
  if (tile && typeof tile === "object" && "close" in tile && typeof tile.close === "function") tile.close();
}
