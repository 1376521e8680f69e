const NAMES = ["picture", "shapes", "brush", "overlay", "moving"] as const;

export type Layers = Record<(typeof NAMES)[number], CanvasRenderingContext2D>;

/** Put one canvas for each layer into a place, the lowest first. */
export function addLayers(host: HTMLElement): Layers {
  return Object.fromEntries(NAMES.map((name) => [name, addLayer(host, name)])) as Layers;
}

function addLayer(host: HTMLElement, name: string): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.className = `layer ${name}`;
  host.append(canvas);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw: it has no 2D canvas.");
  return context;
}
