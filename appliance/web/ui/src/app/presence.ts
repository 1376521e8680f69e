import { newId } from "../editor/ids";

const CHANNEL = "pixelqueue";
const LOCK = "pixelqueue/";
/** How long a page has to say that it is there. */
const ANSWER_MS = 700;

type Word = { kind: "who" | "here" | "gone"; page: string };

/**
 * Which pages of this console are open in this browser.
 *
 * A held Web Lock ends with its page, however that ends. On plain HTTP browsers withhold locks;
 * there pages ask over a channel, and one that sleeps counts as gone. Taking over the work of a
 * page that is there after all does no harm: the box knows diffs by their ids.
 */
export class Presence {
  /** This page. */
  readonly page = newId();
  /** Another page said that it goes. */
  onGone: () => void = () => undefined;
  private readonly channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);
  private readonly answers = new Set<string>();
  private readonly held: Promise<void>;
  private release: () => void = () => undefined;

  constructor() {
    this.held = navigator.locks ? this.hold(navigator.locks) : Promise.resolve();
    if (this.channel) this.channel.onmessage = ({ data }: MessageEvent<Word>) => this.hear(data);
  }

  /** The pages that are open, this one included. */
  async alive(): Promise<ReadonlySet<string>> {
    await this.held;
    if (!navigator.locks) return this.ask();
    const { held = [], pending = [] } = await navigator.locks.query();
    const names = [...held, ...pending].map(({ name }) => name ?? "");
    return new Set([this.page, ...names.filter((name) => name.startsWith(LOCK)).map((name) => name.slice(LOCK.length))]);
  }

  /** Tell the other pages that this one goes. */
  leave(): void {
    this.channel?.postMessage({ kind: "gone", page: this.page } satisfies Word);
  }

  close(): void {
    this.release();
    this.leave();
    this.channel?.close();
  }

  private hold(locks: LockManager): Promise<void> {
    return new Promise((granted) => {
      const whileOpen = async (): Promise<void> => {
        granted();
        await new Promise<void>((release) => (this.release = release));
      };
      locks.request(LOCK + this.page, whileOpen).catch(() => granted());
    });
  }

  private async ask(): Promise<ReadonlySet<string>> {
    this.answers.clear();
    this.channel?.postMessage({ kind: "who", page: this.page } satisfies Word);
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    return new Set([this.page, ...this.answers]);
  }

  private hear({ kind, page }: Word): void {
    if (kind === "who") this.channel?.postMessage({ kind: "here", page: this.page } satisfies Word);
    else if (kind === "here") this.answers.add(page);
    else this.onGone();
  }
}
