import { describe, expect, it } from "vitest";

import { complete } from "../../src/api/client";
import { address, Http } from "../../src/api/http";
import { Problem } from "../../src/api/problem";

function answering(status: number, body: string, headers: Record<string, string> = {}) {
  const seen: { input: string; init: RequestInit }[] = [];
  const http = new Http(async (input, init) => {
    seen.push({ input, init });
    return new Response(status === 204 ? null : body, { status, headers });
  });
  return { http, seen };
}

async function problemOf(act: Promise<unknown>): Promise<Problem> {
  const error = await act.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Problem);
  return error as Problem;
}

describe("address", () => {
  it("leaves out what is not given and encodes the rest", () => {
    expect(address("/api/x", { state: "done", after: null, label: undefined, empty: "" })).toBe("/api/x?state=done");
    expect(address("/api/x", { name: "a/b c&d.jpg" })).toBe("/api/x?name=a%2Fb+c%26d.jpg");
    expect(address("/api/x")).toBe("/api/x");
  });
});

describe("Http", () => {
  it("sends JSON and reads JSON", async () => {
    const { http, seen } = answering(201, '{"id":7}');
    expect(await http.post("/api/projects", { name: "A" }, { dry: true })).toEqual({ id: 7 });
    expect(seen[0].input).toBe("/api/projects?dry=true");
    expect(seen[0].init.body).toBe('{"name":"A"}');
    expect(new Headers(seen[0].init.headers).get("Content-Type")).toBe("application/json");
  });

  it("answers null when there is no content", async () => {
    expect(await answering(204, "").http.post("/api/projects/1/tasks/next")).toBeNull();
  });

  it("turns a problem document into a Problem with its facts", async () => {
    const body = JSON.stringify({ code: "stale-revision", detail: "Look again.", field: "revision", details: { revision: 4 } });
    const problem = await problemOf(answering(409, body).http.get("/api/x"));
    expect(problem).toMatchObject({ status: 409, code: "stale-revision", message: "Look again.", field: "revision" });
    expect(problem.details).toEqual({ revision: 4 });
    expect(problem.transient).toBe(false);
  });

  it("reads how long to wait", async () => {
    const problem = await problemOf(answering(429, '{"detail":"Slow down."}', { "Retry-After": "4" }).http.get("/api/x"));
    expect(problem.retryAfterS).toBe(4);
    expect(problem.transient).toBe(true);
  });

  it("has a sentence for a refusal that is no document, and for no answer", async () => {
    expect((await problemOf(answering(502, "<html>").http.get("/api/x"))).message).toContain("502");
    const dead = new Http(() => Promise.reject(new TypeError("network")));
    expect(await problemOf(dead.get("/api/x"))).toMatchObject({ code: "offline", status: 0, transient: true });
  });

  it("gives what was asked ahead to the first who needs it, and asks again after that", async () => {
    const { http, seen } = answering(200, '{"id":7}');
    http.ahead("/api/projects/7");
    expect(seen).toHaveLength(1);
    expect(await http.get("/api/projects/7")).toEqual({ id: 7 });
    expect(seen).toHaveLength(1);
    await http.get("/api/projects/7");
    expect(seen).toHaveLength(2);
  });

  it("asks again when what was asked ahead was refused", async () => {
    let status = 401;
    const http = new Http(async () => new Response('{"id":7}', { status }));
    http.ahead("/api/projects/7");
    status = 200;
    expect(await http.get("/api/projects/7")).toEqual({ id: 7 });
  });

  it("tells when nobody is signed in", async () => {
    const { http } = answering(401, '{"code":"not-signed-in","detail":"Sign in."}');
    let told = 0;
    http.onSignedOut = () => told++;
    await problemOf(http.get("/api/x"));
    expect(told).toBe(1);
  });
});

describe("complete", () => {
  it("fills in what the box leaves out at its default", () => {
    const made = complete({ id: "a2345678", label_id: 1, geometry: { type: "tag" }, status: "approved" });
    expect(made).toMatchObject({ source: "manual", status: "approved", revision: 0, confidence: null, author_id: null });
  });
});
