/** One icon set, drawn for this console: 20 px, stroke 1.5. */
const PATHS = {
  mark: "M3 3h6v6H3zM11 11h6v6h-6zM11 3h6v6h-6z",
  down: "M6 8l4 4 4-4",
  right: "M8 5l5 5-5 5",
  left: "M12 5l-5 5 5 5",
  back: "M16 10H4M9 5l-5 5 5 5",
  search: "M9 4a5 5 0 100 10A5 5 0 009 4zM13 13l4 4",
  add: "M10 4v12M4 10h12",
  close: "M5 5l10 10M15 5L5 15",
  tick: "M4 10.5l4 4 8-9",
  upload: "M10 13V4M6.5 7L10 3.5 13.5 7M3 12v4h14v-4",
  download: "M10 4v9M6.5 10l3.5 3.5L13.5 10M3 13v3h14v-3",
  trash: "M4 6h12M8 6V4h4v2M6 6l.6 10h6.8L14 6M9 9v4M11 9v4",
  eye: "M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5zM10 8a2 2 0 100 4 2 2 0 000-4z",
  hidden: "M4 4l12 12M8 5.3A7.8 7.8 0 0110 5c5 0 7.5 5 7.5 5a12 12 0 01-2.2 2.8M12 14.7a7.6 7.6 0 01-2 .3c-5 0-7.5-5-7.5-5a12 12 0 012.2-2.8",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  warn: "M10 3.5l7 12.5H3zM10 8v4M10 14h.01",
  help: "M10 3a7 7 0 100 14 7 7 0 000-14zM8 8a2 2 0 113 1.7c-.7.4-1 .8-1 1.6M10 13.8h.01",
  pause: "M7 4v12M13 4v12",
  play: "M6 4l10 6-10 6z",
  retry: "M16 10a6 6 0 11-2-4.5M16 3v4h-4",
  undo: "M7 4L3 8l4 4M3 8h9a4.5 4.5 0 010 9H8",
  redo: "M13 4l4 4-4 4M17 8H8a4.5 4.5 0 000 9h4",
  select: "M5 3l11 5-4.5 1.5L10 14z",
  box: "M3 5h14v10H3z",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  folder: "M3 5h5l2 2h7v9H3z",
  sparkle: "M10 3l1.8 5.2L17 10l-5.2 1.8L10 17l-1.8-5.2L3 10l5.2-1.8z",
  user: "M10 4a3 3 0 100 6 3 3 0 000-6zM4 17c.5-3.2 2.8-5 6-5s5.5 1.8 6 5",
  contrast: "M10 3a7 7 0 100 14 7 7 0 000-14zM10 3v14",
  sort: "M6 4v12M3.5 13.5L6 16l2.5-2.5M11 5h6M11 10h4M11 15h2",
  filter: "M3 5h14M6 10h8M8.5 15h3",
  skip: "M4 5l7 5-7 5zM15 5v10",
  polygon: "M10 3l6.5 5-2.5 8H6L3.5 8z",
  rotated_box: "M11 2.5l6.5 6.5-8.5 8.5L2.5 11z",
  keypoints: "M10 4.5a1.5 1.5 0 100 .01M10 6v4M10 10l-5 4.5M10 10l5 4.5M4 8h12",
  polyline: "M3 15l4-9 6 6 4-8",
  segment: "M10 2.5v3M10 14.5v3M2.5 10h3M14.5 10h3M10 7c2.2 0 4.2 1 4.2 3S12 13.5 10 13.500 5.800 12.200 5.800 10 7.800 7 10 7z",
  brush: "M16.5 3.5L9 11M8.5 10.5a3 3 0 013 3c0 2-2 3-4 3H4c1.500-1 1.500-2 1.500-3a3 3 0 013-3z",
  eraser: "M11.5 4l5 5-7 7H6l-3-3zM7.500 8l5 5M9 16h8",
  lock: "M5 9h10v8H5zM7 9V6.500a3 3 0 016 0V9",
  unlock: "M5 9h10v8H5zM7 9V6.500a3 3 0 015.800-1",
  list: "M7 5h10M7 10h10M7 15h10M3 5h.01M3 10h.01M3 15h.01",
  minus: "M5 10h10",
  comment: "M3 4h14v10H9l-4 3v-3H3z",
  side: "M3 10h14M6 7l-3 3 3 3M14 7l3 3-3 3",
  info: "M10 3a7 7 0 100 14 7 7 0 000-14zM10 9v5M10 6.2h.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, title }: { name: IconName; title?: string }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" role={title ? "img" : undefined} aria-hidden={title ? undefined : true}>
      {title && <title>{title}</title>}
      <path d={PATHS[name]} />
      {name === "mark" && <path d="M3 11h6v6H3z" fill="currentColor" />}
      {name === "contrast" && <path d="M10 3a7 7 0 010 14z" fill="currentColor" />}
    </svg>
  );
}
