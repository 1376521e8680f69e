/** Where the picture lies on the screen: screen = image × scale + (x, y), in CSS pixels. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const MOST_SCALE = 64;
const FIT_MARGIN = 12;
const LEAST_SHOWN = 48;

export const toScreen = (camera: Camera, point: Point): Point => ({
  x: point.x * camera.scale + camera.x,
  y: point.y * camera.scale + camera.y,
});

export const toImage = (camera: Camera, point: Point): Point => ({
  x: (point.x - camera.x) / camera.scale,
  y: (point.y - camera.y) / camera.scale,
});

/** The nearest point of the image. */
export const clamped = ({ x, y }: Point, size: Size): Point => ({
  x: Math.min(size.width, Math.max(0, x)),
  y: Math.min(size.height, Math.max(0, y)),
});

/** Show the whole picture, centred, with a margin. */
export function fit(picture: Size, view: Size): Camera {
  const scale = Math.max(
    0.001,
    Math.min((view.width - 2 * FIT_MARGIN) / picture.width, (view.height - 2 * FIT_MARGIN) / picture.height),
  );
  return centred(picture, view, scale);
}

/** The picture at `scale` in the middle of the view. */
export function centred(picture: Size, view: Size, scale: number): Camera {
  return { scale, x: (view.width - picture.width * scale) / 2, y: (view.height - picture.height * scale) / 2 };
}

/** Zoom by `factor`; what is under `at` stays there. The least scale is half of what fits. */
export function zoomAt(camera: Camera, at: Point, factor: number, picture: Size, view: Size): Camera {
  const least = fit(picture, view).scale / 2;
  const scale = Math.min(MOST_SCALE, Math.max(Math.min(least, 1), camera.scale * factor));
  const ratio = scale / camera.scale;
  return keepInView({ scale, x: at.x - (at.x - camera.x) * ratio, y: at.y - (at.y - camera.y) * ratio }, picture, view);
}

export function pan(camera: Camera, dx: number, dy: number, picture: Size, view: Size): Camera {
  return keepInView({ ...camera, x: camera.x + dx, y: camera.y + dy }, picture, view);
}

/** Never lose the picture: a strip of it stays in the view. */
export function keepInView(camera: Camera, picture: Size, view: Size): Camera {
  const clamp = (offset: number, length: number, room: number): number =>
    Math.min(room - LEAST_SHOWN, Math.max(LEAST_SHOWN - length, offset));
  return {
    scale: camera.scale,
    x: clamp(camera.x, picture.width * camera.scale, view.width),
    y: clamp(camera.y, picture.height * camera.scale, view.height),
  };
}

/** At whole device pixels, so that cached pixels are copied and not blurred, and all layers agree. */
export function snapped({ x, y, scale }: Camera): Camera {
  const snap = (value: number): number => Math.round(value * devicePixelRatio) / devicePixelRatio;
  return { x: snap(x), y: snap(y), scale };
}
