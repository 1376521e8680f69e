import { all, http } from "./client";
import type { Job, Label, Model } from "./types";

export interface Activation {
  id: number;
  model_id: number | null;
  model_name: string | null;
  rolled_back: boolean;
  user_id: number | null;
  at_ms: number;
}

/** The active model, the one a roll back returns to, and what was active before. */
export interface ProjectModels {
  active: Model | null;
  previous: Model | null;
  history: Activation[];
}

export interface Suggestion {
  label_id: Label["id"];
  why: "same" | "words" | "synonym" | "similar";
  score: number;
}

/** What becomes of one of a model's labels in a project. */
export interface LabelMatch {
  class_index: number;
  name: string;
  label_id: number | null;
  how: "chosen" | "ignored" | "name" | "none";
  confidence: number | null;
  suggestions: Suggestion[];
}

export interface LabelChoice {
  class_index: number;
  label_id: number | null;
  ignored: boolean;
  confidence: number | null;
}

export interface Runtime {
  name: string;
  ok: boolean;
  reason: string;
  devices: string[];
  /** Why the last model went to another runtime, where it did. */
  fallback?: string | null;
}

/** What became of preparing a model for this device. */
export interface Prepared {
  backend: string;
  device: string;
  fallback: string | null;
  seconds: number;
}

/** What models run on here, and why. */
export interface Runtimes {
  backend: string | null;
  device: string | null;
  reason: string;
  backends: Runtime[];
}

export interface ConversionAbility {
  pickles_allowed: boolean;
  ability: { ok: boolean; reason: string; way_out: string; interpreter: string; versions: Record<string, string> };
}

const of = (projectId: number): string => `/api/projects/${projectId}/models`;

export const models = {
  list: () => all<Model>("/api/models"),
  add: (file: File) => http.send<Model>("POST", "/api/models", { query: { name: file.name }, bytes: file }),
  /** A model of two files that answers clicks: the body is one after the other. */
  pair: (name: string, encoder: File, decoder: File) =>
    http.send<Model>("POST", "/api/models/pair", { query: { name, encoder_bytes: encoder.size }, bytes: new Blob([encoder, decoder]) }),
  unpack: (file: File) => http.send<Model>("POST", "/api/models/import", { query: { name: file.name }, bytes: file }),
  convert: (file: File, trusted: boolean) =>
    http.send<Job>("POST", "/api/models/convert", { query: { name: file.name, trusted: trusted || null }, bytes: file }),
  /** Get a model ready for this device; the job's result says what it runs on. */
  prepare: (id: number) => http.post<Job>(`/api/models/${id}/prepare`),
  archive: (id: number, archived: boolean) =>
    http.send<Model>("PATCH", `/api/models/${id}`, { json: { archived } }),
  remove: (id: number) => http.delete(`/api/models/${id}`),
  fileUrl: (id: number) => `/api/models/${id}/file`,
  runtimes: () => http.get<Runtimes>("/api/models/runtimes"),
  conversion: () => http.get<ConversionAbility>("/api/models/conversion"),
  allowPickles: (allowed: boolean) =>
    http.send<null>("PUT", "/api/models/conversion/pickles", { json: { allowed } }),
  of: (projectId: number) => http.get<ProjectModels>(of(projectId)),
  activate: (projectId: number, modelId: number | null) =>
    http.post<ProjectModels>(`${of(projectId)}/activate`, { model_id: modelId }),
  rollBack: (projectId: number) => http.post<ProjectModels>(`${of(projectId)}/rollback`),
  labels: (projectId: number, modelId: number) =>
    http.get<{ labels: LabelMatch[] }>(`${of(projectId)}/${modelId}/labels`),
  putLabels: async (projectId: number, modelId: number, labels: LabelChoice[]) =>
    (await http.send<{ labels: LabelMatch[] }>("PUT", `${of(projectId)}/${modelId}/labels`, { json: { labels } })).body,
};
