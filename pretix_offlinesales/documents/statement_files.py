"""The statement of a seller as files for other programs, from what it said when it was made."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _, gettext_lazy, pgettext, pgettext_lazy

from ..models import Document
from .statements import CommissionLine, SellerStatement, StatementLine

COLUMNS = {
    "statement": gettext_lazy("Statement"),
    "invoice": pgettext_lazy("commission", "Self-billing invoice"),
    "date": gettext_lazy("Date"),
    "seller": gettext_lazy("Seller"),
    "identifier": gettext_lazy("Seller number"),
    "line": gettext_lazy("Line"),
    "kind": gettext_lazy("Type"),
    "event": gettext_lazy("Event"),
    "slug": gettext_lazy("Short form"),
    "product": gettext_lazy("Product"),
    "subevent": pgettext_lazy("subevent", "Date"),
    "numbers": gettext_lazy("Ticket numbers"),
    "terms": gettext_lazy("Terms"),
    "count": gettext_lazy("Tickets"),
    "price": gettext_lazy("Price"),
    "rate": pgettext_lazy("invoice", "Tax rate"),
    "net": pgettext_lazy("invoice", "Net"),
    "tax": gettext_lazy("Tax"),
    "gross": pgettext_lazy("invoice", "Gross"),
    "currency": gettext_lazy("Currency"),
}


def content(document: Document) -> dict[str, Any]:
    """
    All that it says, as JSON has it.

    :param document: of the kind ``STATEMENT``
    """
    return {"id": document.pk, "number": document.number, "kind": document.kind, **document.snapshot}


def rows(document: Document) -> list[list]:
    """
    A table to be booked: its header, a row for each tax rate of each line, and one for each commission. A commission
    has the sign that makes all that is *gross* add up to what is due. How many tickets a line has, and what one of them
    costs, is said once.

    :param document: of the kind ``STATEMENT``
    """
    statement = SellerStatement.from_json(document.snapshot)
    with statement.letter.spoken:
        always = {
            "statement": document.number,
            "date": localtime(statement.letter.moment).date().isoformat(),
            "seller": statement.seller.name,
            "identifier": statement.seller.identifier,
            "currency": statement.letter.currency,
        }
        found = [always | row for row in _rows(statement)]
        return [list(map(str, COLUMNS.values())), *([row.get(name, "") for name in COLUMNS] for row in found)]


def _rows(statement: SellerStatement) -> Iterator[dict[str, Any]]:
    lines = count(1)
    for line in statement.lines:
        said = {"line": next(lines), **_of_line(line)}
        once = {"count": line.count, "price": line.price}
        for tax in line.taxes:
            yield said | once | {"rate": tax.rate, "net": tax.net, "tax": tax.tax, "gross": tax.gross}
            once = {}
    for commission in statement.commissions:
        invoice = statement.invoice_number if commission.is_by_organizer else None
        yield {"line": next(lines), "invoice": invoice or "", **_of_commission(commission)}


def _of_line(line: StatementLine) -> dict[str, Any]:
    return {
        "kind": pgettext("statement", "Sale") if line.count > 0 else pgettext("statement", "Credit"),
        "event": line.event,
        "slug": line.slug,
        "product": line.product,
        "subevent": line.subevent,
        "numbers": "; ".join(line.numbers),
        "terms": line.rate,
    }


def _of_commission(line: CommissionLine) -> dict[str, Any]:
    return {
        "kind": _("Commission"),
        "terms": "; ".join(filter(None, (*line.rate.splitlines(), line.tax_text if line.tax_rate is None else ""))),
        "rate": "" if line.tax_rate is None else line.tax_rate,
        "net": -line.commission,
        "tax": -line.tax,
        "gross": -(line.commission + line.tax),
    }
