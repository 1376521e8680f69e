import { images } from "../api/client";
import type { Task, TaskState } from "../api/types";
import { TaskMark } from "./marks";

export interface StripItem {
  task: Task;
  word: string;
  mark: TaskState;
  now?: boolean;
}

/** The tasks before and after the present one, as thumbnails with mark and word. */
export function QueueStrip({ items }: { items: readonly StripItem[] }) {
  return (
    <ol class="queue" aria-label="Queue">
      {items.map(({ task, word, mark, now }) => (
        <li key={task.id} class={`strip-cell ${now ? "now" : ""}`} aria-current={now ? "step" : undefined}>
          <img src={images.thumbnailUrl(task.project_id, task.image_id)} alt="" loading="lazy" />
          <span>
            <TaskMark state={mark} />
            {word}
          </span>
        </li>
      ))}
    </ol>
  );
}
