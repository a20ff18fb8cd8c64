# SPDX-License-Identifier: GPL-3.0-or-later
"""Line charts as SVG, with nothing but the standard library."""

from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 60
COLOURS = ("#1f5fa8", "#c0392b", "#2c8c4b", "#8e5ea2")


def _steps(most):
    """A round step that cuts the axis into four to ten parts."""
    step = 1.0
    while most / step > 10:
        step *= 10
    while most / step < 1:
        step /= 10
    for factor in (0.1, 0.2, 0.5, 1, 2, 5):
        if most / (step * factor) <= 8:
            return step * factor
    return step


def write(path, title, below, lines):
    """`lines`: {name: [(x, y), ...]}; each x has its place by rank, so that 1 and 256 both show."""
    places = sorted({x for points in lines.values() for x, _ in points})
    most = max((y for points in lines.values() for _, y in points), default=0) or 1
    step = _steps(most)
    top = step * -(-most // step)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at_x(value):
        return LEFT + wide * (places.index(value) + 0.5) / len(places)

    def at_y(value):
        return TOP + high * (1 - value / top)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="22" text-anchor="middle" font-size="15">{escape(title)}</text>',
        f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 26}" text-anchor="middle">{escape(below)}</text>',
    ]
    for number in range(int(round(top / step)) + 1):
        y = at_y(number * step)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number * step:g}</text>')
    for place in places:
        out.append(f'<text x="{at_x(place):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{place}</text>')
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path_of = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in sorted(points))
        out.append(f'<polyline points="{path_of}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in points:
            out.append(f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3" fill="{colour}"/>')
        left = LEFT + number * wide / max(1, len(lines))
        out.append(f'<rect x="{left:.1f}" y="{HEIGHT - 16}" width="10" height="10" fill="{colour}"/>')
        out.append(f'<text x="{left + 15:.1f}" y="{HEIGHT - 7}">{escape(name)}</text>')
    out.append("</svg>")
    with open(path, "w") as file:
        file.write("\n".join(out) + "\n")
