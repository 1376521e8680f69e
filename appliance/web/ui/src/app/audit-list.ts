import { signal } from "@preact/signals";

import { type Problem, toProblem } from "../api/problem";
import type { AuditEntry, AuditFilter } from "../api/system";
import type { Page } from "../api/types";

type Fetch = (filter: AuditFilter, after: string | null) => Promise<Page<AuditEntry>>;

const EMPTY_PAGES = 20;

/**
 * The audit log, newest first, as far as it was asked for.
 *
 * The box looks at a stretch of the log at a time: a page may come back empty and yet not be the
 * last. Up to twenty such are followed before a person is asked whether to look further.
 */
export class AuditList {
  readonly entries = signal<AuditEntry[]>([]);
  readonly next = signal<string | null>(null);
  readonly busy = signal(false);
  readonly problem = signal<Problem | null>(null);
  private turn = 0;

  constructor(private readonly fetch: Fetch) {}

  async start(filter: AuditFilter): Promise<void> {
    this.entries.value = [];
    this.next.value = null;
    await this.load(filter, null);
  }

  async more(filter: AuditFilter): Promise<void> {
    if (this.next.value !== null && !this.busy.value) await this.load(filter, this.next.value);
  }

  private async load(filter: AuditFilter, from: string | null): Promise<void> {
    const mine = ++this.turn;
    this.busy.value = true;
    this.problem.value = null;
    try {
      let after = from;
      for (let pages = 0; pages < EMPTY_PAGES; pages++) {
        const page = await this.fetch(filter, after);
        if (mine !== this.turn) return;
        this.entries.value = [...this.entries.value, ...page.items];
        after = this.next.value = page.next ?? null;
        if (page.items.length > 0 || after === null) break;
      }
    } catch (error) {
      if (mine === this.turn) this.problem.value = toProblem(error);
    } finally {
      if (mine === this.turn) this.busy.value = false;
    }
  }
}
