import { account, all, http } from "./client";
import type { Door, GlobalRole, Job, Page, ProjectRole, User } from "./types";

export interface Disk {
  total_bytes: number;
  free_bytes: number;
  floor_bytes: number;
  reserve_bytes: number;
  reserve_wanted_bytes: number;
  quarantine_bytes: number;
}

export interface Lane {
  name: string;
  width: number;
  busy: number;
  queued: number;
  running: number;
  paused: number;
}

export interface BoxHealth {
  name: string;
  versions: Record<string, string>;
  disk: Disk;
  memory: { total_bytes: number; available_bytes: number; resident_bytes: number };
  load: number;
  processors: number;
  temperatures: { name: string; celsius: number; limit: number | null }[];
  clock: { wall_ms: number; store_ms: number; behind_ms: number };
  clock_is_set: boolean | null;
  database: { file_bytes: number; log_bytes: number; free_bytes: number; schema: number };
  lanes: Lane[];
  children: number;
  counts: Record<string, number>;
  open_sockets: number;
  uptime_s: number;
}

export interface Runtimes {
  backends: { name: string; ok: boolean; reason: string; devices: string[] }[];
  fault: string | null;
}

export interface Total {
  key: string;
  files: number;
  bytes: number;
}

export interface LargeFile {
  kind: string;
  project_id: number;
  owner_id: number;
  name: string;
  sha256: string;
  bytes: number;
  created_at_ms: number;
}

export interface StorageUse {
  measured: {
    at_ms: number | null;
    kinds: Total[];
    projects: Total[];
    ages: Total[];
    cache: Total[];
    largest: LargeFile[];
  };
  job: Job | null;
  disk: Disk;
  database: BoxHealth["database"];
  cache_limit_bytes: number;
  grace_s: number;
}

export interface ScrubRun {
  id: number;
  job_id: number;
  started_at_ms: number;
  finished_at_ms: number | null;
  files: number;
  bytes: number;
  faults: number;
}

export interface BlobOwner {
  what: string;
  id: number;
  project_id: number | null;
  name: string;
}

export interface Damage {
  sha256: string;
  fault: "damaged" | "missing";
  found_at_ms: number;
  owners: BlobOwner[];
}

export interface StoredFile {
  sha256: string;
  size_bytes: number;
  stored_bytes: number;
  created_at_ms: number;
  owners: BlobOwner[];
}

export interface Scrubbing {
  latest: ScrubRun | null;
  finished: ScrubRun | null;
  job: Job | null;
  files: number;
  bytes: number;
  every_s: number;
  faults: number;
  damage: Damage[];
}

export interface AuditEntry {
  id: number;
  at_ms: number;
  user_id: number | null;
  action: string;
  subject: string;
  project_id: number | null;
  details: Record<string, unknown>;
  hash: string;
}

/** How far the audit log's chain of hashes was checked, and the first line that does not hold. */
export interface Chain {
  head: { id: number; hash: string };
  checked: number;
  broken: number | null;
}

export interface AuditFilter {
  user_id?: string | null;
  action?: string | null;
  project_id?: string | null;
  since_ms?: number | null;
  until_ms?: number | null;
  text?: string | null;
}

export type ChoreKind = "scrub" | "measure" | "collect" | "clear-cache";

export const system = {
  health: () => http.get<BoxHealth>("/api/system"),
  runtimes: () => http.get<Runtimes>("/api/system/runtimes"),
  storage: () => http.get<StorageUse>("/api/system/storage"),
  scrub: () => http.get<Scrubbing>("/api/system/scrub"),
  blobs: async (sha256: string) => (await http.get<Page<StoredFile>>("/api/system/blobs", { sha256 })).items,
  start: (kind: ChoreKind) => http.post<Job>("/api/system/chores", { kind }),
};

export const users = {
  list: () => all<User>("/api/users", { limit: 500 }),
  create: (facts: { email: string; name: string; password: string; role: GlobalRole }) =>
    http.post<User>("/api/users", facts),
  change: (id: number, facts: { role?: GlobalRole; disabled?: boolean; password?: string }) =>
    http.patch<User>(`/api/users/${id}`, facts),
  resetCode: (id: number) => http.post<{ code: string; expires_at_ms: number }>(`/api/users/${id}/reset`),
};

export interface Invitation {
  id: number;
  note: string;
  role: GlobalRole;
  project_id: number | null;
  project_role: ProjectRole | null;
  created_by: number | null;
  created_at_ms: number;
  expires_at_ms: number;
  used_by: number | null;
  used_at_ms: number | null;
}

type NewInvitation = { note: string; role: GlobalRole; valid_s: number; project_id?: number; project_role?: ProjectRole };

export const registration = {
  door: account.registration,
  setDoor: (door: Door) => http.put<{ registration: Door }>("/api/registration", { registration: door }),
  invitations: async () => (await http.get<Page<Invitation>>("/api/invitations")).items,
  invite: (facts: NewInvitation) =>
    http.post<{ invitation: Invitation; secret: string; path: string }>("/api/invitations", facts),
  revoke: (id: number) => http.delete(`/api/invitations/${id}`),
};

export const audit = {
  page: (filter: AuditFilter, after: string | null) =>
    http.get<Page<AuditEntry>>("/api/audit", { ...filter, after, limit: 100 }),
  actions: async () => (await http.get<Page<string>>("/api/audit/actions")).items,
  chain: (after: number) => http.get<Chain>("/api/audit/chain", { after }),
};
