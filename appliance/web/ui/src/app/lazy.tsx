import type { ComponentType } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

import { Fault } from "../parts/controls";
import { Waiting } from "../parts/waiting";
import { type Problem, Problem as ProblemError } from "../api/problem";

/** A component whose code comes when it is first shown. `preload` fetches it ahead. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>) {
  let found: ComponentType<P> | null = null;
  const preload = async (): Promise<ComponentType<P>> => (found ??= await load());
  function Lazy(props: P) {
    const [problem, setProblem] = useState<Problem | null>(null);
    const [, redraw] = useState(0);
    useLayoutEffect(() => {
      if (found) return;
      preload().then(
        () => redraw(1),
        () => setProblem(new ProblemError(0, { detail: "This page did not come from the box. Load it again." })),
      );
    }, []);
    if (found) {
      const Found = found;
      return <Found {...props} />;
    }
    return problem ? <Fault problem={problem} retry={() => location.reload()} /> : <Waiting>Loading the page</Waiting>;
  }
  return Object.assign(Lazy, { preload });
}
