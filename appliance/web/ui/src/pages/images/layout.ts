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
  /** What is really scrolled: browsers lay out no more than some 17 million pixels. */
  scrollHeight: number;
}

export const GAP = 4;
const CAPTION = 20;
const OVERSCAN_ROWS = 2;
const MOST_PX = 15_000_000;

/** As many columns of at least `cell` pixels as fit; pictures are 4:3, a caption stands below. */
export function layout(width: number, cell: number, count: number): Layout {
  const columns = Math.max(1, Math.floor((width + GAP) / (cell + GAP)));
  const cellWidth = Math.max(0, Math.floor((width - GAP * (columns - 1)) / columns));
  const pictureHeight = Math.round((cellWidth * 3) / 4);
  const rowHeight = pictureHeight + CAPTION + GAP;
  const rows = Math.ceil(count / columns);
  const height = rows * rowHeight;
  const scrollHeight = Math.min(height, MOST_PX);
  return { columns, gap: GAP, cellWidth, pictureHeight, rowHeight, rows, count, height, scrollHeight };
}

/** The place in the whole list that a scroll position means. */
export function topOf(plan: Layout, scrollTop: number, viewHeight: number): number {
  if (plan.height === plan.scrollHeight) return scrollTop;
  return (scrollTop * (plan.height - viewHeight)) / (plan.scrollHeight - viewHeight);
}

/** The scroll position that shows a place of the whole list at the top. */
export function scrollOf(plan: Layout, top: number, viewHeight: number): number {
  if (plan.height === plan.scrollHeight) return top;
  return (top * (plan.scrollHeight - viewHeight)) / (plan.height - viewHeight);
}

/** The indices to draw: the rows in sight and a few above and below. `to` is not included. */
export function visible(plan: Layout, top: number, height: number): { from: number; to: number } {
  if (plan.cellWidth === 0) return { from: 0, to: 0 };
  const first = Math.max(0, Math.floor(top / plan.rowHeight) - OVERSCAN_ROWS);
  const last = Math.min(plan.rows, Math.ceil((top + height) / plan.rowHeight) + OVERSCAN_ROWS);
  return { from: first * plan.columns, to: Math.min(plan.count, Math.max(first, last) * plan.columns) };
}

/** The least scrolling that brings a cell into sight: the new top of the view. */
export function reveal(plan: Layout, index: number, top: number, height: number): number {
  const row = Math.floor(index / plan.columns) * plan.rowHeight;
  if (row < top) return row;
  return Math.max(top, row + plan.rowHeight - height);
}
