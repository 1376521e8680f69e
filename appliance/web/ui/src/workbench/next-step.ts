import type { ProjectRow } from "../api/types";
import { counted } from "../parts/words";

interface Step {
  words: string;
  /** What the button says, and the page of the project it leads to. */
  action: string;
  page: "images" | "annotate" | "review" | "dataset";
}

/** What comes next in a project in which a person has nothing on the bench. */
export function nextStep({ images, states }: Pick<ProjectRow, "images" | "states">, reviews: boolean): Step {
  const finished = states.done + states.skipped;
  if (images === 0) return { words: "There is nothing to annotate yet: add images first.", action: "Add images", page: "images" };
  if (finished === images)
    return { words: `Everything is done: ${counted(states.done, "image")} can go into a dataset.`, action: "Go to the dataset", page: "dataset" };
  if (states.in_review > 0 && reviews)
    return { words: `Nothing is open, and ${counted(states.in_review, "image waits", "images wait")} for review.`, action: "Review them", page: "review" };
  if (states.open + states.returned + states.in_progress > 0)
    return { words: "Nothing is open for you: others have begun what is left.", action: "All images", page: "images" };
  return { words: "Nothing is open: every image is submitted, in review or done.", action: "All images", page: "images" };
}
