/** Where the cells of the grid lie, in CSS pixels. */
export interface Layout {
  columns: number;
  gap: number;
  cellWidth: number;
  pictureHeight: number;
  rowHeight: number;
  rows: number;
  count: number;
  height: number;
}

export const GAP = 4;
const CAPTION = 20;
const OVERSCAN_ROWS = 2;

/** As many columns of at least `cell` pixels as fit; pictures are 4:3, a caption stands below. */
export function layout(width: number, cell: number, count: number): Layout {
  const columns = Math.max(1, Math.floor((width + GAP) / (cell + GAP)));
  const cellWidth = Math.max(0, Math.floor((width - GAP * (columns - 1)) / columns));
  const pictureHeight = Math.round((cellWidth * 3) / 4);
  const rowHeight = pictureHeight + CAPTION + GAP;
  const rows = Math.ceil(count / columns);
  return { columns, gap: GAP, cellWidth, pictureHeight, rowHeight, rows, count, height: rows * rowHeight };
}

/** The indices to draw: the rows in sight and a few above and below. `to` is not included. */
export function visible(plan: Layout, top: number, height: number): { from: number; to: number } {
  if (plan.cellWidth === 0) return { from: 0, to: 0 };
  const first = Math.max(0, Math.floor(top / plan.rowHeight) - OVERSCAN_ROWS);
  const last = Math.min(plan.rows, Math.ceil((top + height) / plan.rowHeight) + OVERSCAN_ROWS);
  return { from: first * plan.columns, to: Math.min(plan.count, Math.max(first, last) * plan.columns) };
}
