"""Medians, spreads and ratios, and how figures are written in the document."""

import statistics


def median(values):
    return statistics.median(values)


def bar(values):
    """For plot.bars: the middle and the ends of the whisker."""
    return (median(values), min(values), max(values)) if values else None


def ratios(ours, theirs):
    """Ours over theirs, round by round: what disturbs a round disturbs both."""
    return [a / b for a, b in zip(ours, theirs)]


def grouped(value):
    return f"{value:,.0f}".replace(",", " ")


def rate(values, unit=""):
    return spread(values, grouped) + unit


def spread(values, form):
    """The median, and the least and the most where there were several rounds."""
    if not values:
        return "not measured"
    if len(values) == 1:
        return form(values[0])
    return f"{form(median(values))} ({form(min(values))} to {form(max(values))})"


def times(values):
    return spread(values, lambda value: f"{value:.2f}") + " ×" if values else "not measured"


def micros(value):
    if value is None:
        return "not measured"
    if value < 1000:
        return f"{value:.0f} µs"
    if value < 1e6:
        return f"{value / 1e3:.3g} ms"
    return f"{value / 1e6:.3g} s"


def seconds(value):
    return micros(value * 1e6)


def mebibytes(value):
    return f"{value / 2**20:.1f} MiB" if value < 100 * 2**20 else f"{value / 2**20:.0f} MiB"
