import { useRef } from "preact/hooks";

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

interface Props {
  projectId: number;
  items: readonly StripItem[];
  /** An image is on the canvas: until the first one is, the thumbnails wait. */
  shown: boolean;
}

/** The images before and after the present one, as thumbnails with mark and word. */
export function Strip({ projectId, items, shown }: Props) {
  const calm = useRef(false);
  calm.current ||= shown;
  const thumbnail = (imageId: number) => <img src={calm.current ? images.thumbnailUrl(projectId, imageId) : undefined} alt="" loading="lazy" />;
  return (
    <ol class="queue" aria-label="Queue">
      {items.map(({ imageId, word, mark, now, unread, action }) => (
        <li key={imageId} class={`strip-cell ${now ? "now" : ""}`} aria-current={now ? "step" : undefined}>
          {action ? (
            <button class="strip-act" onClick={action.run}>
              {thumbnail(imageId)}
              <b>{action.words}</b>
            </button>
          ) : (
            thumbnail(imageId)
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
