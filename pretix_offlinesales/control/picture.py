"""
The first sheet of a print as a picture: where tickets lie, which ones, and where it is cut. In millimetres.

Where there are too many to be told apart, they are a pattern: it says how much of the sheet is used.
"""

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from ..printing.limits import MAX_PICTURED
from ..printing.marks import crop_marks
from ..printing.plan import Plan


def picture(plan: Plan) -> str:
    """SVG, to be part of a page."""
    grid = plan.grid
    width, height = grid.sheet.size
    context = {
        "title": _("The first sheet"),
        "width": width,
        "height": height,
        "frame": {"width": width + 2, "height": height + 2},
        "ticket": {"width": grid.ticket[0], "height": grid.ticket[1]},
    }
    context |= _places(plan) if len(grid) <= MAX_PICTURED else {"rows": _rows(plan)}
    return render_to_string("pretix_offlinesales/control/picture.svg", context)


def _places(plan: Plan) -> dict:
    """Each of them with what lies there, and marks."""
    grid, numbers = plan.grid, plan.on_sheet(1)
    height = grid.sheet.size[1]
    right, up = grid.sheet.offset
    places = []
    for index in range(len(grid)):
        place = grid.front(index)
        taken = index < len(numbers)
        places.append(
            {
                "x": place.left + right,
                # SVG counts from the top.
                "y": height - place.bottom - up - grid.ticket[1],
                "label": plan.label(numbers[index][0]) if taken else "",
                "turned": grid.rotated,
            }
        )
    marks = [
        (x1 + right, height - y1 - up, x2 + right, height - y2 - up)
        for x1, y1, x2, y2 in (crop_marks(grid, plan.bleed) if grid.sheet.crop_marks else ())
    ]
    return {
        "middle": {"x": grid.ticket[0] / 2, "y": grid.ticket[1] / 2},
        "font_size": min(grid.ticket) / 5,
        "places": places,
        "marks": marks,
    }


def _rows(plan: Plan) -> dict:
    """Where the places begin, how far it is to the next, how wide all of them are, and how many rows are full."""
    grid, taken = plan.grid, len(plan.on_sheet(1))
    right, up = grid.sheet.offset
    step = {"x": grid.cell[0] + grid.sheet.gutter[0], "y": grid.cell[1] + grid.sheet.gutter[1]}
    full, others = divmod(taken, grid.columns)
    return {
        "x": grid.lefts[0] + right,
        "y": grid.sheet.size[1] - grid.bottoms[0] - up - grid.ticket[1],
        "step": step,
        "width": grid.columns * step["x"],
        "height": grid.rows * step["y"],
        "full": full * step["y"],
        "others": others * step["x"],
    }
