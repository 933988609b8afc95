#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Draws what tools/bench measured as SVG, and keeps the numbers next to the picture.

Every bar is a ratio from one run: how many times as fast Keyhold is as the distribution's plugin, on the same machine, with the
same keys. FOLDER/bench-KIND.json has what a later run of this program needs to draw the same picture again.
"""
import argparse
import json
import math
import sys
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

sys.dont_write_bytecode = True  # leaves no cache next to the source
from bench_report import DISTRIBUTION, KEYHOLD, Invalid

ENVIRONMENT = ("machine", "server", "openssl", "engine", "load", "threads", "seconds")
# what the chart of a kind is drawn from; also how a document's kind is recognised
NUMBERS_OF = {"service": "groups", "sysbench": "tests", "keys": "look_ups"}

# groups of bench_report.py, for readers of a picture; any other is shown by its title
LABELS = {
    "up to 256 bytes, NOPAD, CTR, same key": ("redo log record, CTR", "up to 256 bytes"),
    "up to 256 bytes, NOPAD, CBC encrypt, same key": ("redo log record, CBC encrypt", "up to 256 bytes"),
    "up to 256 bytes, NOPAD, CBC decrypt, same key": ("redo log record, CBC decrypt", "up to 256 bytes"),
    "up to 256 bytes, NOPAD, a new key each time": ("small message with a new key", "up to 256 bytes, CTR and CBC"),
    "16354 bytes, CTR": ("page, CTR", "16 KiB"),
    "16354 bytes, CBC decrypt": ("page, CBC decrypt", "16 KiB"),
    "16354 bytes, CBC encrypt": ("page, CBC encrypt", "16 KiB"),
    "32 KiB, padded, GCM": ("temporary file, GCM", "32 KiB"),
    "32 KiB, padded, CBC": ("temporary file, CBC", "32 KiB"),
    "up to 256 bytes, streamed, same key": ("binary log event", "up to 256 bytes, CTR and CBC"),
    "latest_version": ("latest version of a key", ""),
    "get_key": ("key by id and version", ""),
}


class Bar(NamedTuple):
    """A ratio, and the smallest and the largest of what it is the middle of."""
    value: float
    low: float
    high: float


class Row(NamedTuple):
    label: str
    detail: str
    bars: list


class Chart(NamedTuple):
    title: str
    range_is: str
    series: list
    rows: list
    caption: str


# --- From documents to charts ---

def ratio(value, where):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (math.isfinite(value) and value > 0):
        raise Invalid(f"{where}: '{value}' is not a ratio")
    return value


def bar_of(value, low, high, where):
    bar = Bar(ratio(value, where), ratio(low, where), ratio(high, where))
    if bar.low > bar.high:
        raise Invalid(f"{where}: the smallest ratio, {bar.low}, is above the largest, {bar.high}")
    return bar


def caption_of(document):
    parts = [document.get("machine"), *(f"{name} {document[key]}" for name, key in (("MariaDB", "server"), ("OpenSSL", "openssl"))
                                        if document.get(key))]
    return "; ".join(part for part in parts if part)


def service_rows(document):
    """{title: bar} of the smallest number of threads."""
    groups = document["groups"]
    threads = min(group["threads"] for group in groups)
    return {group["group"]: bar_of(group["times_as_fast"], group["worst"], group["best"], group["group"])
            for group in groups if group["threads"] == threads}


def service_chart(documents):
    by_engine = {f"engine {document.get('engine') or 'auto'}": service_rows(document) for document in documents}
    if len(by_engine) != len(documents):
        raise Invalid("two documents are of the same engine")
    titles = list(next(iter(by_engine.values())))
    if any(list(rows) != titles for rows in by_engine.values()):
        raise Invalid("the documents have different groups of cases")
    rows = [Row(*LABELS.get(title, (title, "")), [rows[title] for rows in by_engine.values()]) for title in titles]
    return Chart("One call: times as fast as the distribution's plugin", "smallest and largest of the cases",
                 list(by_engine), rows, caption_of(documents[0]))


def rounds_ratio(row, other, where):
    ratios = [ratio(a, where) / ratio(b, where) for a, b in zip(row["rounds"], other["rounds"])]
    return bar_of(row["per_second"] / other["per_second"], min(ratios), max(ratios), where)


def sysbench_chart(documents):
    rows = []
    for test in documents[0]["tests"]:
        variants = {row["variant"]: row for row in test["variants"]}
        for variant in variants:
            plugin, _, cipher = variant.partition(".")
            if plugin == KEYHOLD:
                other = variants[f"{DISTRIBUTION}.{cipher}"]
                bars = [rounds_ratio(variants[name], other, test["test"]) for name in (variant, "none")]
                rows.append(Row(test["test"], cipher, bars))
    return Chart("A whole server: times as fast as with the distribution's plugin", "smallest and largest of the rounds",
                 ["Keyhold", "no encryption"], rows, caption_of(documents[0]))


def keys_chart(documents):
    look_ups = [row for row in documents[0]["look_ups"] if "times_as_fast" in row and row["name"] != "choose-many"]
    threads = min((row["threads"] for row in look_ups), default=0)
    rows = [Row(row["name"].removesuffix("-many"), {"small": "among 32 keys", "ids": "among 10,000 keys"}.get(row["file"], row["file"]),
                [bar_of(row["times_as_fast"], row["times_as_fast_min"], row["times_as_fast_max"], row["name"])])
            for row in look_ups if row["threads"] == threads]
    return Chart("Look-up of a key: times as fast as the distribution's plugin", "smallest and largest of the rounds",
                 ["Keyhold"], rows, caption_of(documents[0]))


CHARTS = {"service": service_chart, "sysbench": sysbench_chart, "keys": keys_chart}


# --- From a chart to SVG ---

WIDTH, LEFT, RIGHT = 860, 250, 70  # of the picture, of the labels, of the numbers after the bars
TOP, BAR, GAP, BOTTOM = 92, 16, 18, 62
STYLE = """
  .s0{fill:#54aeff}.s1{fill:#d4a72c}.s2{fill:#4ac26b}
  .g{stroke:#8c959f;stroke-width:1;opacity:.45}.o,.w{stroke:#1f2328;stroke-width:1.2}
  text{fill:#1f2328;font:14px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
  .t{font-weight:600;font-size:16px}.v{font-weight:600;font-size:13px}.l{font-size:12.5px;fill:#57606a}
  @media (prefers-color-scheme:dark){
    .s0{fill:#1f6feb}.s1{fill:#9e6a03}.s2{fill:#238636}
    .g{stroke:#6e7681}.o,.w{stroke:#e6edf3}text{fill:#e6edf3}.l{fill:#9da7b3}
  }
"""


def ticks_of(largest):
    """The marks of an axis from 0: at most nine, at equal distances, the last one at or above the largest value."""
    for exponent in range(-2, 12):
        for digit in (1, 2, 5):
            step = digit * 10.0 ** exponent
            count = math.ceil(largest / step - 1e-9)
            if count <= 8:
                return [i * step for i in range(count + 1)]
    raise Invalid(f"{largest} is not a ratio")


def text(x, y, content, style="", anchor="start"):
    return f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(content)}</text>'


def line(x1, y1, x2, y2, style):
    return f'<path class="{style}" d="M{x1:g} {y1:g}L{x2:g} {y2:g}"/>'


def short(value):
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def draw_axis(ticks, place, bottom):
    for tick in ticks:
        yield line(place(tick), TOP - 8, place(tick), bottom, "g")
        yield text(place(tick), bottom + 18, f"{tick:g}", "l", "middle")
    yield line(place(1), TOP - 8, place(1), bottom, "o")


def draw_bar(bar, number, top, place):
    middle = top + BAR / 2
    yield f'<rect class="s{number}" x="{place(0):g}" y="{top:g}" width="{place(bar.value) - place(0):.2f}" height="{BAR - 2}" rx="2"/>'
    yield line(round(place(bar.low), 2), middle - 1, round(place(bar.high), 2), middle - 1, "w")
    yield text(round(place(max(bar.value, bar.high)) + 8, 2), middle + 4, short(bar.value), "v")


def draw_row(row, top, place):
    middle = top + len(row.bars) * BAR / 2
    yield text(LEFT - 12, middle + (-2 if row.detail else 5), row.label, "", "end")
    if row.detail:
        yield text(LEFT - 12, middle + 13, row.detail, "l", "end")
    for number, bar in enumerate(row.bars):
        yield from draw_bar(bar, number, top + number * BAR, place)


def draw_legend(series):
    x = LEFT
    for number, name in enumerate(series):
        yield f'<rect class="s{number}" x="{x}" y="46" width="14" height="14" rx="2"/>'
        yield text(x + 20, 58, name, "l")
        x += 40 + 7 * len(name)


def describe(chart):
    return "; ".join(f"{row.label}{', ' + row.detail if row.detail else ''}: " +
                     ", ".join(f"{short(bar.value)} ({name})" for name, bar in zip(chart.series, row.bars)) for row in chart.rows) + "."


def draw(chart):
    ticks = ticks_of(max(max(bar.value, bar.high, 1) for row in chart.rows for bar in row.bars))
    step = len(chart.series) * BAR + GAP
    bottom = TOP + len(chart.rows) * step - GAP / 2

    def place(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * value / ticks[-1]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + BOTTOM:g}" role="img" aria-labelledby="t d">',
             f'<title id="t">{escape(chart.title)}</title>', f'<desc id="d">{escape(describe(chart))}</desc>',
             f"<style>{STYLE}</style>", text(LEFT, 30, chart.title, "t"), *draw_legend(chart.series),
             *draw_axis(ticks, place, bottom)]
    for number, row in enumerate(chart.rows):
        parts += draw_row(row, TOP + number * step, place)
    parts += [text(WIDTH - 20, bottom + 40, f"longer is faster; 1: the same; thin line: {chart.range_is}", "l", "end"),
              text(WIDTH - 20, bottom + 56, chart.caption, "l", "end"), "</svg>"]
    return "\n".join(parts) + "\n"


# --- Files ---

def kind_of(document, path):
    kinds = [kind for kind, numbers in NUMBERS_OF.items() if isinstance(document, dict) and numbers in document]
    if len(kinds) != 1:
        raise Invalid(f"{path}: not what tools/bench writes")
    if not document[NUMBERS_OF[kinds[0]]]:
        raise Invalid(f"{path}: no results")
    return kinds[0]


def load(path):
    """(kind, document) of each document in a file: one of tools/bench, or the list that this program keeps."""
    try:
        content = json.loads(path.read_text())
    except OSError as fault:
        raise Invalid(f"cannot read '{path}': {fault.strerror}") from None
    except ValueError as fault:
        raise Invalid(f"{path}: not JSON: {fault}") from None
    documents = content if isinstance(content, list) else [content]
    if not documents:
        raise Invalid(f"{path}: no results")
    return [(kind_of(document, path), document) for document in documents]


def chart_of(kind, documents):
    if kind != "service" and len(documents) > 1:
        raise Invalid(f"{len(documents)} documents of {kind}; a chart of it shows one")
    try:
        chart = CHARTS[kind](documents)
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as fault:
        raise Invalid(f"{kind}: missing or malformed: {fault}") from None
    if not chart.rows:
        raise Invalid(f"{kind}: nothing to compare")
    return chart


def kept(kind, document):
    """What the chart of the document is drawn from."""
    return {name: document[name] for name in (*ENVIRONMENT, NUMBERS_OF[kind]) if name in document}


def main(arguments):
    parser = argparse.ArgumentParser(prog="tools/bench chart", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.json", help="written by tools/bench, sysbench or keys")
    parser.add_argument("--to", type=Path, metavar="FOLDER", default=Path(__file__).parents[2] / "docs/images",
                        help="where the pictures go (default: docs/images)")
    given = parser.parse_args(arguments)
    try:
        by_kind = {}
        for path in given.files:
            for kind, document in load(path):
                by_kind.setdefault(kind, []).append(document)
        pictures = {kind: draw(chart_of(kind, documents)) for kind, documents in by_kind.items()}
    except Invalid as fault:
        print(f"tools/bench chart: {fault}", file=sys.stderr)
        return 1
    for kind, picture in pictures.items():
        (given.to / f"bench-{kind}.svg").write_text(picture)
        (given.to / f"bench-{kind}.json").write_text(json.dumps([kept(kind, one) for one in by_kind[kind]], indent=1) + "\n")
        print(given.to / f"bench-{kind}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
