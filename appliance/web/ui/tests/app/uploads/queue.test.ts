import { describe, expect, it } from "vitest";

import { offline, Problem } from "../../../src/api/problem";
import { type Outcome, Queue, type Send, Unreadable } from "../../../src/app/uploads/queue";
import type { Transfer } from "../../../src/app/uploads/transfer";
import { transfer, turn } from "./made";

const DONE: Outcome = { state: "done", problem: null };

function queueOf(send: Send, answers: () => Promise<unknown> = async () => null) {
  const waits: number[] = [];
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms);
    await turn();
  };
  return { queue: new Queue(send, { answers, wait }), waits };
}

async function settled(queue: Queue, projectId = 1): Promise<void> {
  while (queue.group(projectId).count("waiting", "sending") > 0) await turn();
}

describe("Queue", () => {
  it("sends four at once and says of each how it went", async () => {
    let most = 0;
    let now = 0;
    const { queue } = queueOf(async ({ name }, listen) => {
      most = Math.max(most, ++now);
      listen.progress(3);
      await turn();
      now--;
      if (name === "bad") throw new Problem(422, { detail: "It is cut off." });
      return { state: name === "twice" ? "there" : "done", problem: null };
    });
    const files = ["a", "bad", "twice", "d", "e", "f", "g"].map((name) => transfer(name));
    queue.add(files);
    await settled(queue);
    expect(most).toBe(4);
    expect(files.map((one) => one.state)).toEqual(["done", "failed", "there", "done", "done", "done", "done"]);
    expect(files[1].problem?.message).toBe("It is cut off.");
    expect(queue.group(1).sentBytes).toBe(queue.group(1).totalBytes);
  });

  it("tries again what may be mended, later and later, and then gives up", async () => {
    let tries = 0;
    const { queue, waits } = queueOf(async () => {
      tries++;
      throw new Problem(423, { detail: "Another request sends it." });
    });
    const one = transfer("a");
    queue.add([one]);
    await settled(queue);
    expect([one.state, tries]).toEqual(["failed", 6]);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 15000]);
    queue.retry([one]);
    expect(one.state).toBe("sending");
  });

  it("waits while the box is away and goes on by itself where it was", async () => {
    let up = false;
    const begun: (string | null)[] = [];
    const { queue } = queueOf(
      async (one, listen) => {
        begun.push(one.url);
        if (!up) {
          listen.began("/api/projects/1/uploads/7");
          throw offline();
        }
        return DONE;
      },
      async () => {
        if (queue.halt.value === "offline" && begun.length === 1) up = true;
        if (!up) throw offline();
      },
    );
    const one = transfer("a");
    queue.add([one]);
    await settled(queue);
    expect(begun).toEqual([null, "/api/projects/1/uploads/7"]);
    expect([one.state, queue.halt.value]).toEqual(["done", null]);
  });

  it("stops for a full disk and for an ended session, without failing a file", async () => {
    for (const [status, halt] of [[507, "full"], [401, "signed-out"]] as const) {
      let refuse = true;
      const { queue } = queueOf(async () => {
        if (refuse) throw new Problem(status, { detail: "no" });
        return DONE;
      });
      const files = Array.from({ length: 9 }, (_, n) => transfer(`${n}`));
      queue.add(files);
      while (queue.halt.value === null || queue.group(1).count("sending") > 0) await turn();
      expect(queue.halt.value).toBe(halt);
      expect(queue.group(1).count("waiting")).toBe(9);
      refuse = false;
      queue.go();
      await settled(queue);
      expect(queue.group(1).count("done")).toBe(9);
    }
  });

  it("breaks off what is dropped or paused and keeps the rest", async () => {
    const stopped: string[] = [];
    const hang: Send = (one, _listen, stop) =>
      new Promise((_resolve, reject) => {
        stop.addEventListener("abort", () => {
          stopped.push(one.name);
          reject(offline());
        });
      });
    const { queue } = queueOf(hang);
    const files = ["a", "b", "c", "d", "e"].map((name) => transfer(name));
    queue.add(files);
    queue.drop([files[0]]);
    await turn();
    expect(stopped).toEqual(["a"]);
    expect(files[4].state).toBe("sending");
    queue.pause();
    await turn();
    expect(queue.group(1).count("waiting")).toBe(4);
    expect(queue.group(1).all.size).toBe(4);
  });

  it("sends nothing of the one who left", async () => {
    const sent: string[] = [];
    const { queue } = queueOf(async (one) => {
      sent.push(one.name);
      await turn();
      return DONE;
    });
    queue.add(["a", "b", "c", "d", "e", "f"].map((name) => transfer(name)));
    queue.reset();
    await turn();
    await turn();
    expect(sent).toEqual(["a", "b", "c", "d"]);
    expect(queue.group(1).all.size).toBe(0);
  });

  it("asks for a file that cannot be read any more", async () => {
    const { queue } = queueOf(async () => Promise.reject(new Unreadable()));
    const told: Transfer[] = [];
    queue.onSettled = (one) => told.push(one);
    queue.add([transfer("a")]);
    await settled(queue);
    expect(told.map((one) => one.state)).toEqual(["lost"]);
  });

  it("takes ten thousand files in a moment", async () => {
    const { queue } = queueOf(async (_one, listen) => {
      for (let bytes = 1; bytes <= 5; bytes++) listen.progress(bytes);
      return DONE;
    });
    let told = 0;
    const stop = queue.seen.subscribe(() => told++);
    const from = performance.now();
    queue.add(Array.from({ length: 10_000 }, (_, n) => transfer(`${n}.png`, { file: null })));
    await settled(queue);
    expect(queue.group(1).count("done")).toBe(10_000);
    expect(performance.now() - from).toBeLessThan(5_000);
    expect(told).toBeLessThan(60);
    stop();
  });
});

describe("Group", () => {
  it("knows how fast it goes and how long it takes", () => {
    const { queue } = queueOf(() => new Promise(() => undefined));
    const group = queue.group(1);
    const one = transfer("a", { size: 10_000 });
    group.add(one);
    expect([group.rate, group.leftMs]).toEqual([0, null]);
    for (let second = 0; second <= 8; second++) {
      group.progress(one, second * 1000);
      group.sample(second * 1000);
    }
    expect([group.rate, group.leftMs]).toEqual([1000, 2000]);
  });

  it("counts what of a batch is not settled", () => {
    const { queue } = queueOf(() => new Promise(() => undefined));
    const group = queue.group(1);
    const [a, b, c] = [transfer("a", { batch: 3 }), transfer("b", { batch: 3 }), transfer("c")];
    for (const one of [a, b, c]) group.add(one);
    expect(group.open(3)).toBe(2);
    group.move(a, "done");
    group.move(b, "lost");
    expect(group.open(3)).toBe(1);
    group.remove(b);
    expect(group.open(3)).toBe(0);
  });
});
