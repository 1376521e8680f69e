import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { theme } from "../app/theme";

export interface Line {
  label: string;
  /** Bars for amounts; lines, whole or dashed, for what is told apart by shape. */
  shape: "bars" | "whole" | "dashes";
}

interface Props {
  /** Seconds since 1970, then one column for each line. */
  data: uPlot.AlignedData;
  lines: readonly Line[];
  label: string;
  height?: number;
}

const HALF_DAY_S = 43_200;

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A chart over days; the numbers stand in a table beside it. */
export function DayChart({ data, lines, label, height = 220 }: Props) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const chart = new uPlot(options(element.clientWidth, height, lines), data, element);
    const resize = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      chart.destroy();
    };
  }, [data, lines, height, theme.value]);
  return <div ref={host} class="chart" role="img" aria-label={label} />;
}

function options(width: number, height: number, lines: readonly Line[]): uPlot.Options {
  const [text, second, line, edge] = ["--text", "--second", "--line", "--edge"].map(token);
  const axis = { stroke: second, font: "12px Inter Variable, sans-serif", ticks: { stroke: line, width: 1, size: 4 } };
  const bars = uPlot.paths.bars?.({ size: [0.7, 32] });
  return {
    width,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: (_chart, low, high) => [low - HALF_DAY_S, high + HALF_DAY_S] },
      y: { range: (_chart, _low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] },
    },
    axes: [
      { ...axis, grid: { show: false }, values: "{D} {MMM}" },
      { ...axis, size: 44, grid: { stroke: line, width: 1 }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
    ],
    series: [
      {},
      ...lines.map(({ label, shape }) => ({
        label,
        stroke: shape === "bars" ? edge : text,
        fill: shape === "bars" ? edge : undefined,
        width: shape === "bars" ? 0 : 1.5,
        dash: shape === "dashes" ? [4, 4] : undefined,
        paths: shape === "bars" ? bars : undefined,
        points: { show: false },
      })),
    ],
  };
}
