import { images } from "../api/client";
import type { TaskState } from "../api/types";
import { TaskMark } from "../parts/marks";
import { counted } from "../parts/words";

export interface StripItem {
  imageId: number;
  word: string;
  mark: TaskState;
  now?: boolean;
  /** Comments the person has not read. */
  unread?: number;
  /** What pressing the picture does. */
  action?: { words: string; run: () => void };
}

/** The images before and after the present one, as thumbnails with mark and word. */
export function Strip({ projectId, items }: { projectId: number; items: readonly StripItem[] }) {
  return (
    <ol class="queue" aria-label="Queue">
      {items.map(({ imageId, word, mark, now, unread, action }) => (
        <li key={imageId} class={`strip-cell ${now ? "now" : ""}`} aria-current={now ? "step" : undefined}>
          {action ? (
            <button class="strip-act" onClick={action.run}>
              <img src={images.thumbnailUrl(projectId, imageId)} alt="" loading="lazy" />
              <b>{action.words}</b>
            </button>
          ) : (
            <img src={images.thumbnailUrl(projectId, imageId)} alt="" loading="lazy" />
          )}
          {unread !== undefined && unread > 0 && (
            <em class="strip-unread" title={counted(unread, "unread comment")}>
              {unread}
              <span class="unseen"> {unread === 1 ? "unread comment" : "unread comments"}</span>
            </em>
          )}
          <span>
            <TaskMark state={mark} />
            {word}
          </span>
        </li>
      ))}
    </ol>
  );
}
