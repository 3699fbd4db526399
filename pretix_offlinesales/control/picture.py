"""The first sheet of a print as a picture: where tickets lie, which ones, and where it is cut. In millimetres."""

from django.template.loader import render_to_string

from ..printing import Plan
from ..printing.imposition import crop_marks


def picture(plan: Plan) -> str:
    """SVG, to be part of a page."""
    grid, numbers = plan.grid, plan.on_sheet(1)
    width, height = grid.sheet.size
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
    context = {
        "width": width,
        "height": height,
        "frame": {"width": width + 2, "height": height + 2},
        "ticket": {"width": grid.ticket[0], "height": grid.ticket[1]},
        "middle": {"x": grid.ticket[0] / 2, "y": grid.ticket[1] / 2},
        "font_size": min(grid.ticket) / 5,
        "places": places,
        "marks": marks,
    }
    return render_to_string("pretix_offlinesales/control/picture.svg", context)
