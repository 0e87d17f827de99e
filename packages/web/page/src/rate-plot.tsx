// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { rate } from "./format.ts";
import { PLOT_SECONDS, type RateSeries } from "./rate-series.ts";

const HEIGHT = 132;

interface RatePlotProps {
  series: RateSeries | undefined;
  /** The server's clock, milliseconds since 1970. */
  now: number;
  recording: boolean;
}

/** Events and losses a second over the last five minutes, from the server's counts. */
export function RatePlot({ series, now, recording }: RatePlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const [cursor, setCursor] = useState<number | null>(null);
  const scheme = useColorScheme();
  const data = plotData(series, Math.floor(now / 1000));
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = createPlot(element, latest.current, setCursor);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [scheme]);
  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [series, now]);

  const events = series?.events ?? [];
  const lost = series?.lost.reduce((sum, value) => sum + value, 0) ?? 0;
  const at = cursor ?? data[0].length - 1;
  const time = data[0][at];
  return (
    <section class="panel plot" aria-label="Events per second">
      <div class="plot-head">
        <h2>Events per second</h2>
        {recording && <span class="badge recording">Recording</span>}
        <p class="readout">
          {cursor !== null && time !== undefined && <span>{new Date(time * 1000).toLocaleTimeString("en-GB")}</span>}
          <span class="key events">{rate(data[1][at] ?? 0)}</span>
          <span>peak {rate(Math.max(0, ...events))}</span>
          {lost > 0 && (
            <span class="key lost">
              {cursor === null
                ? `${Math.round(lost).toLocaleString("en-US")} lost in 5 min`
                : `${rate(data[2][at] ?? 0)} lost`}
            </span>
          )}
        </p>
      </div>
      <div ref={box} class="plot-box" style={{ height: `${HEIGHT}px` }} />
    </section>
  );
}

type Data = [number[], (number | null)[], (number | null)[]];

/** Every second of the window; null where nothing is known. */
function plotData(series: RateSeries | undefined, now: number): Data {
  const last = series?.second ?? now;
  const seconds: number[] = [];
  const events: (number | null)[] = [];
  const lost: (number | null)[] = [];
  for (let second = last - PLOT_SECONDS + 1; second <= last; second++) {
    const index = (series?.events.length ?? 0) - 1 - (last - second);
    seconds.push(second);
    events.push(series?.events[index] ?? null);
    // A line at zero would read as a measured loss.
    lost.push(series?.lost[index] || null);
  }
  return [seconds, events, lost];
}

function createPlot(element: HTMLElement, data: Data, cursorAt: (index: number | null) => void): uPlot {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: color("--muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
  };
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
      scales: { y: { range: (_plot, _least, most) => [0, Math.max(4, most * 1.12)] } },
      axes: [
        { ...axis, size: 24, gap: 4, space: 40, incrs: [60, 120], values: (_plot, splits) => splits.map(axisTime) },
        {
          ...axis,
          size: 44,
          gap: 6,
          space: 26,
          values: (_plot, splits) => splits.map((value) => rate(value).replace(".0", "")),
        },
      ],
      series: [
        {},
        { stroke: color("--honey"), fill: color("--honey-fill"), width: 1.5, points: { show: false } },
        {
          stroke: color("--bad"),
          fill: color("--bad"),
          width: 1,
          paths: uPlot.paths.bars?.({ size: [1, 4], align: 1 }) ?? null,
          points: { show: false },
        },
      ],
      hooks: {
        drawClear: [(plot) => markLosses(plot, color("--bad-fill"))],
        setCursor: [({ cursor }) => cursorAt(cursor.idx ?? null)],
      },
    } as uPlot.Options,
    data as uPlot.AlignedData,
    element,
  );
}

/** Shades the seconds in which anything was lost over their whole height: one lost event among thousands shows too. */
function markLosses(plot: uPlot, fill: string): void {
  const [seconds, , lost] = plot.data;
  const { top, height } = plot.bbox;
  plot.ctx.fillStyle = fill;
  seconds.forEach((second, index) => {
    if (!lost?.[index]) return;
    const left = plot.valToPos(second, "x", true);
    plot.ctx.fillRect(left - 1, top, plot.valToPos(second + 1, "x", true) - left + 1, height);
  });
}

function axisTime(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

function useColorScheme(): boolean {
  const [query] = useState(() => matchMedia("(prefers-color-scheme: dark)"));
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = (): void => setDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, [query]);
  return dark;
}
