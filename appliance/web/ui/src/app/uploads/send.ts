import type { DetailedError, HttpResponse } from "tus-js-client";

import { http } from "../../api/client";
import { offline, Problem, readProblem } from "../../api/problem";
import type { Upload } from "../../api/types";
import { type Listener, type Outcome, Unreadable } from "./queue";
import type { Transfer } from "./transfer";

/** Up to this size a file goes in one request; a larger one is created first, so that it can be resumed. */
const SMALL_BYTES = 2 << 20;

/** Send one file over tus and say what the box made of it. */
export async function sendFile(transfer: Transfer, listen: Listener, stop: AbortSignal): Promise<Outcome> {
  const file = transfer.file;
  if (!file) throw new Unreadable();
  const client = await import("tus-js-client").catch(() => Promise.reject(offline()));
  await readable(file);
  if (stop.aborted) throw offline();
  const answer = await new Promise<HttpResponse>((resolve, reject) => {
    const small = file.size <= SMALL_BYTES;
    const upload = new client.Upload(file, {
      endpoint: `/api/projects/${transfer.projectId}/uploads`,
      uploadUrl: transfer.url,
      uploadDataDuringCreation: small,
      metadata: { filename: transfer.name, ...(transfer.batch === null ? {} : { batch: String(transfer.batch) }) },
      storeFingerprintForResuming: false,
      retryDelays: null,
      onProgress: (sent) => listen.progress(sent),
      onUploadUrlAvailable: () => !small && upload.url && listen.began(new URL(upload.url, location.href).pathname),
      onSuccess: ({ lastResponse }) => resolve(lastResponse),
      onError: (error) => reject(problemOf(error)),
    });
    stop.addEventListener("abort", () => {
      void upload.abort().catch(() => undefined);
      reject(offline());
    });
    upload.start();
  });
  const made = answer.getStatus() === 201 ? (JSON.parse(answer.getBody()) as Upload) : await shown(transfer);
  if (made.kind === "dataset" && !transfer.url) listen.began(addressOf(made));
  return outcome(made);
}

const addressOf = (upload: Upload): string => `/api/projects/${upload.project_id}/uploads/${upload.id}`;

/** The state of a file whose last byte has come, as the box tells it. */
export function outcome(upload: Upload): Outcome {
  const problem = upload.problem && new Problem(422, { ...upload.problem, detail: upload.problem.message });
  if (upload.state === "failed") return { state: "failed", problem };
  if (upload.kind === "dataset") return { state: "ready", problem: null };
  return { state: upload.duplicate ? "there" : "done", problem: null };
}

async function shown(transfer: Transfer): Promise<Upload> {
  const upload = await http.get<Upload>(transfer.url ?? "");
  if (upload.state === "receiving") throw new Problem(503, { detail: "The box has not taken the file in yet." });
  return upload;
}

/** Browsers lose files that were moved, changed or on a stick that was pulled; only reading tells. */
async function readable(file: Blob): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Unreadable();
  }
}

function problemOf(error: Error | DetailedError): Problem {
  const answer = "originalResponse" in error ? error.originalResponse : null;
  if (!answer || answer.getStatus() === 0) return offline();
  return readProblem(answer.getStatus(), answer.getBody(), answer.getHeader("Retry-After") ?? null);
}
