"""Writes sellers, and what was done in their histories: in one place, for pages, imports and the API."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext as _
from pretix.base.models import LogEntry, Organizer
from pretix.base.shredder import shred_log_fields

from ..db.queries import unscoped
from ..db.rows import log, reserve_ids
from ..models import Document, OfflineSalesTicket, Seller, SellerPayment
from .terms import Rate

ADDED = "pretix_offlinesales.seller.added"
CHANGED = "pretix_offlinesales.seller.changed"
DELETED = "pretix_offlinesales.seller.deleted"
ERASED = "pretix_offlinesales.seller.erased"

#: What is about a person. It is emptied when a seller is erased, and the name says only that there was one.
PERSONAL = ("name", "identifier", "contact", "email", "phone", "address", "vat_id", "comment")

#: The rest of what somebody can write of a seller.
TERMS = (
    "locale",
    "currency",
    "active",
    "commission_percent",
    "commission_fixed",
    "commission_tax_rate",
    "commission_tax_text",
    "commission_invoiced_by",
    "credit_limit",
    "firm",
    "deadline_days",
    "deadline_action",
    "payment_days",
)

#: In histories: what a seller keeps of tickets of some products.
COMMISSIONS = "product_commissions"


class NotDeleted(Exception):
    """With a message for people."""


def problems(organizer: Organizer, seller: Seller | None, values: Mapping[str, Any]) -> dict[str, str]:
    """
    What stands in the way of these values, besides what each field says of its own: a message for people by field.

    :param seller: None, if it is a new one
    """
    found = {}
    if seller and seller.erased:
        found["name"] = _("The data of this seller was deleted. Please create a new one.")
    if identifier := values.get("identifier"):
        others = Seller.objects.filter(organizer=organizer, identifier=identifier)
        if (others.exclude(pk=seller.pk) if seller else others).exists():
            found["identifier"] = _("Another seller has this identifier already.")
    currency = values.get("currency", seller.currency if seller else "")
    if seller and seller.currency and currency != seller.currency and has_held(seller):
        message = _(
            "The seller has been handed tickets that are sold in {currency}, so this cannot be changed any more."
        )
        found["currency"] = message.format(currency=seller.currency)
    return found


@transaction.atomic
def add(seller: Seller, requester: dict, commissions: Mapping[int, Rate] | None = None) -> None:
    """
    :param seller: not saved yet, and without ``problems``
    :param requester: as ``log_action`` takes it
    :param commissions: that differ, by the key of the product
    """
    seller.save(force_insert=True)
    said = _said(seller)
    if commissions:
        said |= _write_commissions(seller, commissions)
    seller.log_action(ADDED, data=said, **requester)


@transaction.atomic
def add_all(sellers: Sequence[Seller], requester: dict) -> None:
    """
    As ``add``, in a few queries.

    :param sellers: without products that differ
    """
    for seller, pk in zip(sellers, reserve_ids(Seller, len(sellers)), strict=True):
        seller.pk = pk
    Seller.objects.bulk_create(sellers)
    if sellers:
        log(sellers[0], ADDED, [seller.pk for seller in sellers], [_said(seller) for seller in sellers], requester)


def _said(seller: Seller) -> dict[str, Any]:
    """What histories say of a new one."""
    return {name: value for name in (*PERSONAL, *TERMS) if (value := getattr(seller, name)) not in ("", None)}


@transaction.atomic
def change(
    seller: Seller, values: Mapping[str, Any], requester: dict, commissions: Mapping[int, Rate] | None = None
) -> bool:
    """
    Only what differs is written: something else may change at the same time. Returns whether anything does.

    :param values: by field, and without ``problems``
    :param requester: as ``log_action`` takes it
    :param commissions: by the key of the product, all that shall differ; None: they stay as they are
    """
    stored = Seller.objects.select_for_update(no_key=True).get(pk=seller.pk)
    said = {name: value for name, value in values.items() if getattr(stored, name) != value}
    for name, value in values.items():
        setattr(seller, name, value)
    if said:
        seller.save(update_fields=list(said))
    if commissions is not None and commissions != rates_of(seller):
        said |= _write_commissions(seller, commissions)
    if said:
        seller.log_action(CHANGED, data=said, **requester)
    return bool(said)


def rates_of(seller: Seller) -> dict[int, Rate]:
    """Those that differ, by the key of the product."""
    return {each.item_id: Rate.of(each) for each in seller.product_commissions.all()}


def _write_commissions(seller: Seller, commissions: Mapping[int, Rate]) -> dict[str, list[dict[str, int | Decimal]]]:
    """Returns what histories say of them."""
    seller.product_commissions.exclude(item__in=commissions).delete()
    said: list[dict[str, int | Decimal]] = []
    for item, rate in commissions.items():
        values = {"commission_percent": rate.percent, "commission_fixed": rate.fixed}
        seller.product_commissions.update_or_create(item_id=item, defaults=values)
        said.append({"item": item, **values})
    return {COMMISSIONS: said}


def has_held(seller: Seller) -> bool:
    """Whether the ledger knows her: then she can't be deleted any more."""
    documents = Document.objects.filter(Q(source=seller) | Q(target=seller))
    return documents.exists() or OfflineSalesTicket.objects.filter(seller=seller).exists()


@transaction.atomic
def delete(seller: Seller, requester: dict) -> None:
    """
    With all that histories say about a person: nobody could ask for it any more.

    :param requester: as ``log_action`` takes it
    :raises NotDeleted: if she has ever held something
    """
    seller = Seller.objects.select_for_update().get(pk=seller.pk)
    if has_held(seller):
        raise NotDeleted(_("This seller has been handed tickets, and can only be deactivated."))
    _shred_history(seller)
    seller.log_action(DELETED, data={"seller": seller.pk}, **requester)
    seller.delete()


@transaction.atomic
def erase(seller: Seller, requester: dict) -> None:
    """
    Delete what is about a person, in histories too. Numbers, sums, terms and the ledger stay. What documents say is
    another matter: see ``documents.kept``.

    :param requester: as ``log_action`` takes it
    """
    stored = Seller.objects.select_for_update(no_key=True).get(pk=seller.pk)
    for name in PERSONAL:
        setattr(stored, name, "")
    # In the language of whoever does it: it is stored, as a name that somebody has typed.
    stored.name = _("Deleted seller {number}").format(number=stored.pk)
    stored.active, stored.erased = False, now()
    stored.save(update_fields=[*PERSONAL, "active", "erased"])
    # It may say anything, as a comment.
    unscoped(SellerPayment.objects).filter(seller=stored).update(reference="")
    _shred_history(stored)
    stored.log_action(ERASED, **requester)


def _shred_history(seller: Seller) -> None:
    for entry in LogEntry.objects.filter(content_type=seller.logs_content_type, object_id=seller.pk):
        shred(entry)


def shred(entry: LogEntry) -> None:
    """:param entry: in the history of a seller"""
    shred_log_fields(entry, banlist=(*PERSONAL, "reference"))
