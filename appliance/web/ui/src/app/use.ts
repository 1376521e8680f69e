import type { Signal } from "@preact/signals";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { type Problem, toProblem, unanswered } from "../api/problem";
import { events } from "./session";

export interface Loaded<T> {
  value: T | null;
  problem: Problem | null;
  reload: () => void;
  set: (value: T) => void;
}

/** Load something when `deps` change; an answer that comes too late is dropped. */
export function useLoad<T>(load: () => Promise<T>, deps: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value: T | null; problem: Problem | null }>({ value: null, problem: null });
  const turn = useRef(0);
  const run = useCallback(() => {
    const mine = ++turn.current;
    load().then(
      (value) => {
        if (mine === turn.current) setState({ value, problem: null });
      },
      (error: unknown) => {
        if (mine === turn.current) setState((old) => ({ ...old, problem: toProblem(error) }));
      },
    );
  }, deps);
  const failed = state.problem?.transient ?? false;
  useLayoutEffect(() => (failed ? events.on("reached", run) : undefined), [failed, run]);
  useLayoutEffect(() => {
    setState({ value: null, problem: null });
    run();
    return () => void turn.current++;
  }, [run]);
  return { ...state, reload: run, set: (value) => setState({ value, problem: null }) };
}

/** Run `act` and keep its problem; `busy` while it runs. */
export function useAct(): { busy: boolean; problem: Problem | null; run: (act: () => Promise<unknown>) => void } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const offline = problem?.code === "offline";
  useLayoutEffect(() => (offline ? events.on("reached", () => setProblem(unanswered())) : undefined), [offline]);
  const run = (act: () => Promise<unknown>): void => {
    setBusy(true);
    setProblem(null);
    act()
      .catch((error: unknown) => setProblem(toProblem(error)))
      .finally(() => setBusy(false));
  };
  return { busy, problem, run };
}

/** Once the box answers again, do not go on saying that it does not. */
export function useAnswered(...problems: readonly Signal<Problem | null>[]): void {
  useLayoutEffect(
    () =>
      events.on("reached", () => {
        for (const problem of problems) if (problem.peek()?.code === "offline") problem.value = unanswered();
      }),
    problems,
  );
}

const GATHER_MS = 250;

/** Call `then` soon after events of these kinds, once for a burst of them. */
export function useEvents(kinds: readonly string[], projectId: number | null, then: () => void): void {
  const latest = useRef(then);
  latest.current = then;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        latest.current();
      }, GATHER_MS);
    };
    const stops = [...kinds, "resync"].map((kind) =>
      events.on(kind, (event) => {
        if (kind === "resync" || projectId === null || event.project_id === projectId) soon();
      }),
    );
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }, [kinds.join(), projectId]);
}
