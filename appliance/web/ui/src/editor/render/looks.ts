import { type Nib, nib } from "./ink";
import { faded, opaque } from "./pixels";
import { CROSSED, DASHED, FILLED, SELECTED } from "./store";

const CASING = faded(opaque(0), 184);
const WHITE = opaque(0xffffff);
const FAULT = opaque(0xcc2222);
/** Twelve in a hundred, and more where it is selected, of 256. */
const FILL = 31;
const FILL_SELECTED = 50;

/** The nibs of one way of drawing: the casing alone where the line over it is dashed. */
export interface Look {
  line: Nib;
  /** Under a dashed line. */
  casing: Nib | null;
  /** The cross of what is rejected. */
  cross: Nib | null;
  dot: Nib;
  hiddenDot: Nib;
  /** Where an outline crosses itself. */
  fault: Nib;
}

/** Looks by colour and flags at one ratio of device pixels; widths are those of `strokes`. */
export class Looks {
  readonly ratio: number;
  private readonly made = new Map<number, Look>();

  constructor(ratio: number) {
    this.ratio = ratio;
  }

  of(color: number, flags: number): Look {
    const style = flags & (DASHED | FILLED | CROSSED | SELECTED);
    const key = color * 256 + style;
    const known = this.made.get(key);
    if (known) return known;
    const look = this.make(opaque(color), style);
    this.made.set(key, look);
    return look;
  }

  private make(pixel: number, style: number): Look {
    const { ratio } = this;
    const selected = (style & SELECTED) !== 0;
    const casing = selected
      ? [{ radius: 3.5 * ratio, pixel: CASING }, { radius: 2.25 * ratio, pixel: WHITE }]
      : [{ radius: 1.75 * ratio, pixel: CASING }];
    const line = { radius: (selected ? 1 : 0.75) * ratio, pixel };
    const fill = style & FILLED ? faded(pixel, selected ? FILL_SELECTED : FILL) : 0;
    const dashed = (style & DASHED) !== 0;
    return {
      line: dashed ? nib([line]) : nib([...casing, line], fill),
      casing: dashed ? nib(casing, fill) : null,
      cross: style & CROSSED ? nib([{ radius: 1.25 * ratio, pixel: CASING }, { radius: 0.5 * ratio, pixel }], 0, true) : null,
      dot: nib([{ radius: 4.25 * ratio, pixel: selected ? WHITE : opaque(0) }, { radius: 2.75 * ratio, pixel }]),
      hiddenDot: nib([{ radius: 4.25 * ratio, pixel }, { radius: 2.75 * ratio, pixel: opaque(0) }]),
      fault: nib([
        { radius: 5.5 * ratio, pixel: opaque(0) }, { radius: 4.25 * ratio, pixel: WHITE }, { radius: 2.5 * ratio, pixel: FAULT },
      ]),
    };
  }
}
