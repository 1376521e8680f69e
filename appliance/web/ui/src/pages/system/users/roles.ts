import type { GlobalRole } from "../../../api/types";

export const BOX_ROLES: readonly (readonly [GlobalRole, string])[] = [
  ["member", "member"],
  ["operator", "operator"],
  ["admin", "admin"],
];
