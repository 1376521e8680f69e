/** The scene that everybody draws: a picture and polygons of 24 vertices, the same in every run. */

export const WIDTH = 4000;
export const HEIGHT = 3000;
const VERTICES = 24;
const COLORS = ["#FFE600", "#8844FF", "#CC2222", "#008866", "#88AAFF", "#AA4488", "#FF66AA", "#E6E6E6", "#AAE6AA", "#88AA00"];

export interface Polygon {
  points: number[];
  color: string;
}

function randomly(seed: number): (from: number, to: number) => number {
  let state = seed >>> 0;
  return (from, to) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return from + (state / 2 ** 32) * (to - from);
  };
}

/** Polygons of 30 to 110 px, spread over the picture; the first lies in its middle, larger, to be dragged. */
export function polygons(count: number, seed = 7): Polygon[] {
  const random = randomly(seed);
  return Array.from({ length: count }, (_, n) => {
    const radius = n === 0 ? 200 : random(15, 55);
    const [x, y] = n === 0 ? [WIDTH / 2, HEIGHT / 2] : [random(60, WIDTH - 60), random(60, HEIGHT - 60)];
    const points = Array.from({ length: VERTICES }, (_, k) => {
      const angle = (k / VERTICES) * Math.PI * 2;
      const reach = radius * (n === 0 ? 1 : random(0.7, 1));
      return [x + Math.cos(angle) * reach, y + Math.sin(angle) * reach];
    });
    return { points: points.flat(), color: COLORS[n % COLORS.length] };
  });
}

/** A picture with detail everywhere. */
export async function picture(seed = 7): Promise<ImageBitmap> {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d")!;
  const random = randomly(seed);
  context.fillStyle = "#405040";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  for (let n = 0; n < 4000; n++) {
    context.fillStyle = `hsl(${random(60, 160)} 30% ${random(15, 60)}%)`;
    context.fillRect(random(-40, WIDTH), random(-40, HEIGHT), random(10, 120), random(10, 120));
  }
  return createImageBitmap(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 }));
}

interface Frames {
  start(): void;
  /** Milliseconds between the frames since `start`, and from a pointer's move to the frame that shows it. */
  stop(): { frames: number[]; latencies: number[] };
}

/** Watches frames by the time stamps that the browser gives them. */
export function frames(): Frames {
  let on = false;
  let stamps: number[] = [];
  let latencies: number[] = [];
  let moved: number | null = null;
  const channel = new MessageChannel();
  channel.port1.onmessage = ({ data }) => latencies.push(performance.now() - (data as number));
  addEventListener("pointermove", (event) => (moved ??= event.timeStamp), { capture: true });
  const tick = (stamp: number): void => {
    if (!on) return;
    stamps.push(stamp);
    if (moved !== null) channel.port2.postMessage(moved);
    moved = null;
    requestAnimationFrame(tick);
  };
  return {
    start() {
      on = true;
      [stamps, latencies, moved] = [[], [], null];
      requestAnimationFrame(tick);
    },
    stop() {
      on = false;
      return { frames: stamps.slice(1).map((stamp, n) => stamp - stamps[n]), latencies };
    },
  };
}
