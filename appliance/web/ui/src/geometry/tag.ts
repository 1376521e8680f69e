import type { Tag, Variant } from "./types";

export const variant: Variant<Tag> = {
  type: "tag",
  check: () => null,
  bounds: () => [0, 0, 0, 0],
  area: () => 0,
  clipped: (tag) => tag,
  transformed: (tag) => tag,
  contains: () => false,
};
