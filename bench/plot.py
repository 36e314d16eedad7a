"""Charts as SVG, drawn by hand: bars with their spread, and lines on linear or logarithmic axes.

The colours are those of Okabe and Ito, which most colour-blind people can tell apart; text and axes
follow the reader's light or dark scheme.
"""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 78, 16, 64, 54
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
STYLE = """<style>
  svg { font-family: system-ui, sans-serif; font-size: 12px; }
  .ink { fill: #24292f; } .axis { stroke: #57606a; } .grid { stroke: #d0d7de; }
  .whisker { stroke: #24292f; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    .ink { fill: #e6edf3; } .axis { stroke: #9198a1; } .grid { stroke: #3d444d; }
    .whisker { stroke: #e6edf3; }
  }
</style>"""


def number(value):
    """1500000 as 1.5 M: short enough for an axis."""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def micros(value):
    for limit, unit in ((6e7, " min"), (1e6, " s"), (1e3, " ms")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g} µs"


class Axis:
    """Maps values to pixels, and knows its ticks."""

    def __init__(self, low, high, begin, end, log):
        self.log, self.begin, self.end = log, begin, end
        if log:
            self.low, self.high = math.floor(math.log10(low)), math.ceil(math.log10(high))
            self.high = max(self.high, self.low + 1)
            self.ticks = [10.0 ** power for power in range(self.low, self.high + 1)]
        else:
            step = nice_step((high - low) / 5 or 1)
            self.low = math.floor(low / step) * step
            self.high = math.ceil(high / step) * step or step
            count = round((self.high - self.low) / step)
            self.ticks = [self.low + step * i for i in range(count + 1)]

    def __call__(self, value):
        if self.log:
            value = math.log10(max(value, 10.0 ** self.low))
        share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)


def nice_step(rough):
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)


def text(x, y, words, anchor="middle", extra=""):
    return (f'<text class="ink" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>'
            f"{escape(words)}</text>")


def frame(title, legend, y_axis, y_label, y_format):
    """Title, legend, the left axis and its grid."""
    parts = [text(WIDTH / 2, 20, title, extra=' font-size="14" font-weight="600"')]
    x = LEFT
    for index, name in enumerate(legend):
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<rect x="{x:.0f}" y="34" width="12" height="12" fill="{colour}"/>')
        parts.append(text(x + 17, 44, name, "start"))
        x += 34 + 6.6 * len(name)
    for tick in y_axis.ticks:
        y = y_axis(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(text(LEFT - 8, y + 4, y_format(tick), "end"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text(16, middle, y_label, extra=f' transform="rotate(-90 16 {middle:.0f})"'))
    return parts


def document(title, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(title, {chr(34): "&quot;"})}">\n{STYLE}\n' + "\n".join(parts) + "\n</svg>\n")


def bars(title, y_label, legend, groups, y_format=number):
    """`groups`: (label, [(middle, low, high) or None for each of `legend`])."""
    highest = max((bar[2] for _, row in groups for bar in row if bar), default=1)
    y = Axis(0, highest or 1, HEIGHT - BOTTOM, TOP, False)
    parts = frame(title, legend, y, y_label, y_format)
    space = (WIDTH - LEFT - RIGHT) / max(len(groups), 1)
    width = min(space * 0.8 / max(len(legend), 1), 70)
    for place, (label, row) in enumerate(groups):
        centre = LEFT + space * (place + 0.5)
        begin = centre - width * len(row) / 2
        for index, bar in enumerate(row):
            if bar:
                parts += one_bar(begin + width * index, width, y, bar, COLOURS[index % len(COLOURS)])
        parts.append(text(centre, HEIGHT - BOTTOM + 20, label))
    parts.append(axis_line())
    return document(title, parts)


def one_bar(x, width, y, bar, colour):
    middle, low, high = bar
    centre, top, base = x + width / 2, y(middle), y(0)
    return [f'<rect x="{x + 2:.1f}" y="{top:.1f}" width="{width - 4:.1f}" '
            f'height="{base - top:.1f}" fill="{colour}"/>',
            f'<line class="whisker" x1="{centre:.1f}" x2="{centre:.1f}" '
            f'y1="{y(low):.1f}" y2="{y(high):.1f}"/>']


def axis_line():
    y = HEIGHT - BOTTOM
    return f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'


def lines(title, x_label, y_label, series, log_x=False, log_y=False, x_format=number,
          y_format=number):
    """`series`: (name, [(x, y), ...])."""
    points = [point for _, line in series for point in line]
    xs, ys = [p[0] for p in points] or [1], [p[1] for p in points] or [1]
    x = Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT, log_x)
    y = Axis(min(ys) if log_y else 0, max(ys), HEIGHT - BOTTOM, TOP, log_y)
    parts = frame(title, [name for name, _ in series], y, y_label, y_format)
    for tick in x.ticks:
        parts.append(f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" '
                     f'y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(text(x(tick), HEIGHT - BOTTOM + 18, x_format(tick)))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_label))
    parts.append(axis_line())
    for index, (_, line) in enumerate(series):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return document(title, parts)


def curve(histogram):
    """A distribution's points for `lines`: (µs, share of all at most that)."""
    return [(max(value, 1), share) for share, value in histogram["cdf"]]
