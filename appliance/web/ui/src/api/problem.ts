import type { JsonObject } from "./types";

interface ProblemBody {
  status?: number;
  code?: string;
  title?: string;
  detail?: string;
  field?: string;
  file?: string;
  details?: JsonObject;
}

/** An answer of the box that says no: an RFC 9457 problem document, or the lack of an answer. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | null;
  readonly file: string | null;
  readonly details: JsonObject;
  readonly retryAfterS: number | null;

  constructor(status: number, body: ProblemBody, retryAfterS: number | null = null) {
    super(body.detail ?? body.title ?? `The box answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.code = body.code ?? "error";
    this.field = body.field ?? null;
    this.file = body.file ?? null;
    this.details = body.details ?? {};
    this.retryAfterS = retryAfterS;
  }

  /** True when the same request may succeed later without any change to it. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** The problem of a request that got no answer at all. */
export function offline(): Problem {
  return new Problem(0, {
    code: "offline",
    detail: "The box does not answer. Check that it is on and on the same network, then try again.",
  });
}

/** What is left of that for somebody who asked, once the box answers again. */
export function unanswered(): Problem {
  return new Problem(0, { code: "unanswered", detail: "The box did not answer this, and answers now. Try again." });
}

export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new Problem(0, { code: "error", detail });
}

/** Read the body of a refusal, whether or not it is a problem document. */
export function readProblem(status: number, text: string, retryAfter: string | null): Problem {
  const seconds = retryAfter === null ? null : Number(retryAfter);
  let body: ProblemBody = {};
  try {
    body = JSON.parse(text) as ProblemBody;
  } catch {
    body = { detail: `The box answered ${status} without saying why. Try again.` };
  }
  return new Problem(status, body, Number.isFinite(seconds) ? seconds : null);
}
