import { http } from "./client";
import type { Page } from "./types";

export type Scope = "read" | "write" | "admin";

export interface Token {
  id: number;
  name: string;
  scopes: Scope[];
  created_at_ms: number;
  expires_at_ms: number | null;
  last_used_at_ms: number | null;
}

/** Where one is signed in. */
export interface Place {
  id: number;
  created_at_ms: number;
  seen_at_ms: number;
  address: string;
  agent: string;
  current: boolean;
}

/** One's own account: password, sessions, tokens. */
export const own = {
  changePassword: (facts: { old: string; new: string; end_other_sessions: boolean }) =>
    http.post<null>("/api/password", facts),
  places: async () => (await http.get<Page<Place>>("/api/sessions")).items,
  signOutAt: (id: number) => http.delete(`/api/sessions/${id}`),
  signOutElsewhere: () => http.delete("/api/sessions"),
  tokens: async () => (await http.get<Page<Token>>("/api/tokens")).items,
  /** Without `valid_s` it works until it is revoked. */
  makeToken: (facts: { name: string; scopes: Scope[]; valid_s?: number }) =>
    http.post<Token & { secret: string }>("/api/tokens", facts),
  revokeToken: (id: number) => http.delete(`/api/tokens/${id}`),
};
