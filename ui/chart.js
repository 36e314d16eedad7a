// Lines over time, by uPlot, which is loaded beside the modules and is a global.

import { colour, html, theme, useEffect, useRef, useState, useStore } from "./parts.js";
import { clock, short, span } from "./format.js";

const SHORTEST_S = 120; // of what is shown at once

function options(width, lines, unit, setIndex) {
  const axis = {
    stroke: colour("muted"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: 170,
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: {
      x: { range: (_, low, high) => [Math.min(low, high - SHORTEST_S), high] },
      y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.05] },
    },
    series: [
      {},
      ...lines.map((line) => ({
        stroke: colour(line.colour),
        width: 1.5,
        dash: line.dash,
        points: { show: false },
      })),
    ],
    axes: [
      {
        ...axis,
        size: 24,
        values: (_, splits) => splits.map((at) => clock(at * 1000).slice(0, splits[1] - splits[0] < 60 ? 8 : 5)),
        space: 70,
      },
      { ...axis, size: 54, values: (_, splits) => splits.map((value) => short(value)), space: 32 },
    ],
    hooks: { setCursor: [(plot) => setIndex(plot.cursor.idx ?? null)] },
  };
}

/// `lines`: [{key, label, colour, dash}] of `points`; the values beside the names are the last ones, or
/// those under the pointer.
export function Chart({ title, unit, points, lines, value }) {
  const box = useRef(null);
  const plot = useRef(null);
  const [index, setIndex] = useState(null);
  const drawn = useStore(theme);
  useEffect(() => {
    const size = () => Math.max(240, box.current.clientWidth);
    plot.current = new globalThis.uPlot(options(size(), lines, unit, setIndex), [[]], box.current);
    const watch = new ResizeObserver(() => plot.current.setSize({ width: size(), height: 170 }));
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      plot.current.destroy();
    };
  }, [drawn]);
  useEffect(() => {
    const data = [points.map((point) => point.t), ...lines.map((line) => points.map((point) => point[line.key]))];
    plot.current.setData(data);
  }, [points, drawn]);
  const shown = points[index ?? points.length - 1];
  const length = points.length < 2 ? 0 : 1000 * (points.at(-1).t - points[0].t);
  const when = shown && index !== null ? clock(shown.t * 1000) : `the last ${span(length)}`;
  return html`<figure class="chart">
    <figcaption><h3>${title}</h3><span class="muted">${unit}, ${when}</span></figcaption>
    <ul class="legend">${lines.map(
      (line) => html`<li key=${line.key}>
      <i style=${{ background: `var(--${line.colour})` }}></i>${line.label}
      <b class="number">${value(shown?.[line.key])}</b></li>`,
    )}</ul>
    <div class="plot" ref=${box} role="img" aria-label=${`${title} over time, ${unit}`}></div>
    ${points.length < 2 && html`<p class="over muted">Nothing is known yet.</p>`}
  </figure>`;
}
