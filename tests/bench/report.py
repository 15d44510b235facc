"""Figures for people: tables of text, and a chart."""

from xml.sax.saxutils import escape

# Figure -> (head of its column, how it is written)
FIGURES = {
    "rate": ("a second", "{:,.0f}"),
    "ratio": ("ratio", "{:.2f}"),
    "p50": ("median us", "{:,.0f}"),
    "p99": ("p99 us", "{:,.0f}"),
    "p99 ratio": ("p99 ratio", "{:.2f}"),
    "latency ratio": ("ratio", "{:.2f}"),
    "cpu": ("own CPU us", "{:.1f}"),
    "seconds": ("seconds", "{:.3f}"),
}


def _cell(key, value):
    return FIGURES.get(key, (key, "{:,.0f}"))[1].format(value) if value is not None else ""


def table(name, title, rows, took):
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))
    cells = [["", *(FIGURES.get(k, (k, ""))[0] for k in keys)]]
    cells += [[server, *(_cell(k, row.get(k)) for k in keys)] for server, row in rows.items()]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = [f"\n{title} ({name}, {took:.0f} s)"]
    for line in cells:
        lines.append("  " + line[0].ljust(widths[0]) + "".join("  " + c.rjust(w) for c, w in zip(line[1:], widths[1:])))
    return "\n".join(lines)


# ---- the chart: rates with Accept=yes as shares of the bare vfork loop's

_BAR, _GAP, _LEFT, _WIDTH = 15, 6, 130, 640
_COLOURS = {"usherd": "#1f6f8b", "bare": "#b9c2c9", "": "#d98e48"}
_GROUPS = (("rate-1", "1 at a time"), ("rate-8", "8 at a time"), ("rate-64", "64 at a time"))


def _colour(server):
    return next(c for name, c in _COLOURS.items() if server.startswith(name))


def chart(result):
    """SVG; "" where no rate was measured."""
    groups = [(label, result["scenarios"][name]["rows"]) for name, label in _GROUPS if name in result["scenarios"]]
    if not groups:
        return ""
    scale = (_WIDTH - _LEFT - 60) / max(row["ratio"] for _, rows in groups for row in rows.values())
    parts, y = [], 48
    for label, rows in groups:
        parts.append(f'<text x="0" y="{y + 12}" font-weight="bold">{escape(label)}</text>')
        y += 22
        for server, row in sorted(rows.items(), key=lambda item: -item[1]["ratio"]):
            width = max(1, row["ratio"] * scale)
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(server)}</text>'
                         f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{_colour(server)}"/>'
                         f'<text x="{_LEFT + width + 6:.1f}" y="{y + 12}">{row["ratio"]:.2f}</text>')
            y += _BAR + _GAP
        y += 12
    head = (f'<text x="0" y="14" font-weight="bold">Connections a second with Accept=yes, the bare vfork loop = 1</text>'
            f'<text x="0" y="32" fill="#666">{escape(result["date"])}, {escape(result["machine"])}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -4 {_WIDTH + 20} {y + 4}" width="{_WIDTH + 20}" '
            f'font-family="sans-serif" font-size="12"><rect x="-10" y="-4" width="{_WIDTH + 20}" height="{y + 8}" '
            f'fill="#fff"/>{head}{"".join(parts)}</svg>\n')
