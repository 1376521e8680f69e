import { comments } from "../api/client";
import type { Unread } from "../api/types";
import { calm } from "./calm";
import { useEvents, useLoad } from "./use";

/** What others said in a project and this person has not read, as it changes. */
export function useUnread(projectId: number): { total: Unread | null; of: (imageId: number) => number } {
  const found = useLoad(() => calm.then(() => comments.unread(projectId)), [projectId]);
  useEvents(["comment.changed"], projectId, found.reload);
  useEvents(["comment.read"], null, found.reload);
  const byImage = new Map((found.value?.images ?? []).map((one) => [one.image_id, one.comments]));
  return { total: found.value, of: (imageId) => byImage.get(imageId) ?? 0 };
}
