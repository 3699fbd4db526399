"""How cost grows with the event, as pictures."""

from pathlib import Path

import pygal
from pygal.style import CleanStyle

from .run import TITLES

DOCS = Path(__file__).resolve().parent.parent / "docs"


def draw(growth: dict[int, dict[str, dict[str, float]]]) -> None:
    """
    ``docs/growth-….svg``, one for each of the titles, with a line for each name.

    :param growth: figures by the size of the event, the key of the title, and the name
    """
    for key, title in TITLES.items():
        chart = pygal.Line(
            title=title,
            x_title="tickets in the event",
            include_x_axis=True,
            legend_at_bottom=True,
            truncate_legend=-1,
            style=CleanStyle(font_family="sans-serif"),
        )
        chart.config.js = []  # pictures ask nobody for a script
        chart.x_labels = [f"{size:,}" for size in growth]
        for name in next(iter(growth.values()))[key]:
            chart.add(name, [round(of_size[key][name], 2) for of_size in growth.values()])
        (DOCS / f"growth-{key}.svg").write_bytes(chart.render())
