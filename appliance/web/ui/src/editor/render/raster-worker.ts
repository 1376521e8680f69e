import { bitmapOf } from "./bitmap";
import { Glyphs } from "./glyphs";
import { type Ask, Rasterizer } from "./rasterizer";

const SLICE_MS = 12;

const channel = new MessageChannel();
const rasterizer = new Rasterizer({
  glyphs: new Glyphs((width, height) => new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })),
  bitmapOf,
  sliceMs: SLICE_MS,
  // What was posted before comes first, so what waits outside is taken in between two slices.
  rest: () =>
    new Promise((done) => {
      channel.port1.onmessage = () => done();
      channel.port2.postMessage(null);
    }),
  tell: (tell, transfer) => self.postMessage(tell, { transfer }),
});

self.onmessage = (event: MessageEvent<Ask>) => rasterizer.ask(event.data);
