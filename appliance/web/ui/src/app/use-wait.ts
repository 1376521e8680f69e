import { useEffect, useState } from "preact/hooks";

import type { Problem } from "../api/problem";

/** Count down the seconds the box asked to wait. */
export function useWait(problem: Problem | null): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const seconds = Math.ceil(problem?.retryAfterS ?? 0);
    setLeft(seconds);
    if (seconds === 0) return;
    const timer = setInterval(() => setLeft((n) => Math.max(0, n - 1)), 1000);
    return () => clearInterval(timer);
  }, [problem]);
  return left;
}
