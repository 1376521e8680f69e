import type { Member, ReviewPolicy } from "../api/types";
import { counted } from "../parts/words";

/** Whether any image is reviewed at all. */
export function asks(policy: ReviewPolicy): boolean {
  return policy.images !== "none" || policy.model_made;
}

export function samePolicy(one: ReviewPolicy, other: ReviewPolicy): boolean {
  return (Object.keys(one) as (keyof ReviewPolicy)[]).every((key) => one[key] === other[key]);
}

/** What a policy does, one sentence each. */
export function policyWords(policy: ReviewPolicy): string[] {
  if (!asks(policy)) return ["What is submitted is done at once; nobody reviews it.", "Its author, a reviewer or an admin can open a done image again by editing it."];
  return [
    ...whichImages(policy),
    policy.reviews === 2
      ? "Two different people approve an image, neither of them its author. If one of them returns it, it is returned."
      : "One approval makes an image done.",
    policy.reviews === 2 || policy.others_only
      ? "Nobody approves what they drew or changed themselves, a reviewer who fixed something included."
      : "Reviewers may approve their own work, and what they fixed.",
    policy.returned_to === "author"
      ? "A returned image comes first in its author's queue, or goes to anybody if the author is gone."
      : "A returned image goes to whoever asks for work next.",
    "Annotators cannot change what is in review or approved. When a reviewer or an admin edits an approved image, it is open again.",
  ];
}

function whichImages(policy: ReviewPolicy): string[] {
  if (policy.images === "all") return ["Every image is reviewed before it is done."];
  const byModel = policy.model_made ? ["Every image with a label that a model made is reviewed."] : [];
  if (policy.images === "none") return [...byModel, "All other images are done when they are submitted."];
  return [
    `${policy.sample_percent} % of the images are reviewed${policy.model_made ? "" : "; the others are done when they are submitted"}. Which ones hangs on the picture alone: nobody can know or change it.`,
    ...byModel,
    ...(policy.model_made ? ["The others are done when they are submitted."] : []),
  ];
}

/** What in the project keeps a policy from working, with what to do. */
export function policyFaults(policy: ReviewPolicy, members: readonly Member[]): string[] {
  if (!asks(policy)) return [];
  const reviewers = members.filter((one) => one.role !== "annotator");
  if (reviewers.length === 0) return ["Nobody here may review: make somebody a reviewer."];
  const own = policy.others_only || policy.reviews === 2;
  if (reviewers.length < policy.reviews) return [`Only ${names(reviewers)} may review here, so no image can get two approvals: add a reviewer.`];
  if (own && reviewers.length === policy.reviews) {
    return [`Only ${names(reviewers)} may review here, so what ${reviewers.length === 1 ? "they draw" : "either of them draws"} can never be approved: add a reviewer, or let others annotate.`];
  }
  return [];
}

/** What saving a policy means for work that is under way. */
export function underWay(inReview: number, done: number): string[] {
  return [
    ...(inReview > 0 ? [`${counted(inReview, "image")} in review: their next verdict counts by the new policy.`] : []),
    ...(done > 0 ? [`${counted(done, "image")} done: they stay done, but those without the approvals the new policy asks for do not enter approved snapshots.`] : []),
  ];
}

function names(members: readonly Member[]): string {
  return members.map((one) => one.name).join(" and ");
}
