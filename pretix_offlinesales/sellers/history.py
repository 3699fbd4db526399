"""
What the history of a seller says. What is about a person is only named there: nobody has to look for it to erase it.
"""

from collections.abc import Mapping
from typing import Any

from ..models import Seller

ADDED, CHANGED, DELETED = (f"pretix_offlinesales.seller.{what}" for what in ("added", "changed", "deleted"))

#: Of a seller, what may be about a person.
PERSONAL = frozenset({"name", "identifier", "contact", "email", "phone", "address", "vat_id", "comment"})


def write(seller: Seller, action: str, values: Mapping[str, Any], **requester: Any) -> None:
    """
    :param values: what was given or changed, by field; without any, nothing has changed, and nothing is written of it
    :param requester: as ``log_action`` takes it: ``user`` and ``auth``
    """
    if action == CHANGED and not values:
        return
    data = {name: value for name, value in values.items() if name not in PERSONAL}
    if named := sorted(PERSONAL & values.keys()):
        data["fields"] = named
    seller.log_action(action, data={"id": seller.pk, **data}, **requester)
