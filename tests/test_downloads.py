"""Files that are made as they are sent."""

from django.utils.translation import gettext_lazy

from pretix_offlinesales.downloads import table


def test_a_table_is_a_private_file_without_formulas():
    response = table([[gettext_lazy("Product"), "Tickets"], ["=1+1", 3], ["Ticket – Reduced", 0]], "tickets.csv")
    assert response.content.decode().splitlines() == [
        '"Product","Tickets"',
        '"\'=1+1",3',
        '"Ticket – Reduced",0',
    ]
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="tickets.csv"'
    assert response["Cache-Control"] == "private, no-store"
