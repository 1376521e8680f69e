/** What a decoded tile is to the cache. */
export interface Decoded {
  readonly width: number;
  readonly height: number;
  close(): void;
}

const BYTES_PER_PIXEL = 4;

/** Decoded tiles, the least recently used first to go; they are closed when they do. */
export class TileCache<T extends Decoded> {
  private readonly held = new Map<string, T>();
  private readonly budgetBytes: number;
  private bytes = 0;

  constructor(budgetBytes: number) {
    this.budgetBytes = budgetBytes;
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  has(key: string): boolean {
    return this.held.has(key);
  }

  /** The tile, which counts as used now. */
  use(key: string): T | null {
    const tile = this.held.get(key);
    if (!tile) return null;
    this.held.delete(key);
    this.held.set(key, tile);
    return tile;
  }

  put(key: string, tile: T): void {
    this.drop(key);
    this.held.set(key, tile);
    this.bytes += weight(tile);
    for (const oldest of this.held.keys()) {
      if (this.bytes <= this.budgetBytes || oldest === key) return;
      this.drop(oldest);
    }
  }

  clear(): void {
    for (const key of [...this.held.keys()]) this.drop(key);
  }

  private drop(key: string): void {
    const tile = this.held.get(key);
    if (!tile) return;
    this.held.delete(key);
    this.bytes -= weight(tile);
    tile.close();
  }
}

const weight = (tile: Decoded): number => tile.width * tile.height * BYTES_PER_PIXEL;
