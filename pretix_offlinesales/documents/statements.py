"""What the statement of a seller says. It is collected when the statement is made, and kept for ever."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from ..models import InvoicedBy
from .heading import Letter
from .notes import Party
from .snapshot import Snapshot


@dataclass(frozen=True)
class TaxLine(Snapshot):
    """What is in a sum of one tax rate, in percent."""

    rate: Decimal
    gross: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class StatementLine(Snapshot):
    """
    Tickets of the same product that cost the same, with the same taxes, and were handed over at the same terms. Sold
    ones, or those that came back after they were stated: then count and sums are negative.
    """

    #: Its name, and its short form.
    event: str
    slug: str
    product: str
    #: Keys, that may mean nothing any more.
    item: int
    variation: int | None
    #: The name and time of a date in a series; empty without.
    subevent: str
    #: ``1-50, 60`` by the key of the batch.
    tickets: dict[int, str]
    #: The same for people, in books where these are whole: ``#3: 1–50, 60``, a batch each.
    numbers: tuple[str, ...]
    #: Of one ticket, gross, with what is bundled with it.
    price: Decimal
    count: int
    gross: Decimal
    net: Decimal
    tax: Decimal
    #: More than one only if something is bundled with the tickets. ``gross``, ``net`` and ``tax`` are their sums.
    taxes: tuple[TaxLine, ...]
    #: What the seller keeps of it, in words.
    rate: str

    @property
    def tax_rate(self) -> Decimal | None:
        """None, if there are several."""
        return self.taxes[0].rate if len(self.taxes) == 1 else None


@dataclass(frozen=True)
class CommissionLine(Snapshot):
    """All in the statement that was handed over at the same terms."""

    #: What the seller keeps, in words.
    rate: str
    count: int
    gross: Decimal
    #: Net. It is what the rounded sum of all statements has become, so it may differ by a cent from what one computes.
    commission: Decimal
    #: None: it is not taxed, and ``tax_text`` says why.
    tax_rate: Decimal | None
    tax: Decimal
    tax_text: str
    #: One of ``models.InvoicedBy``.
    invoiced_by: str

    @property
    def is_by_organizer(self) -> bool:
        return self.invoiced_by == InvoicedBy.ORGANIZER


@dataclass(frozen=True)
class SellerStatement(Snapshot):
    letter: Letter
    seller: Party
    #: When the first of the tickets was sold; None if nobody knows, or nothing in it was.
    since: datetime | None
    #: Up to which moment sales are in it.
    until: datetime
    lines: tuple[StatementLine, ...]
    #: What the lines add up to, by tax rate, the highest first.
    taxes: tuple[TaxLine, ...]
    commissions: tuple[CommissionLine, ...]
    total: Decimal
    commission: Decimal
    commission_tax: Decimal
    #: What is to be paid; negative, if the seller gets something back.
    due: Decimal
    #: None, if nothing is to be paid.
    pay_until: date | None
    #: Where to, a line each, in the host's words. Empty, if nobody has said so.
    account: tuple[str, ...]
    #: Its number as the self-billing invoice about the commission; None, if it is none.
    invoice_number: int | None

    @property
    def sales(self) -> tuple[StatementLine, ...]:
        return tuple(line for line in self.lines if line.count > 0)

    @property
    def credits(self) -> tuple[StatementLine, ...]:
        """Of tickets that came back after they were stated."""
        return tuple(line for line in self.lines if line.count < 0)

    @property
    def lacks_vat_id(self) -> bool:
        """
        Whether it is, or will be, an invoice with tax that does not say the seller's VAT ID, as it would have to. (A
        seller who was forgotten has none any more.)
        """
        is_taxed = any(line.is_by_organizer and line.tax for line in self.commissions)
        return is_taxed and bool(self.seller.name) and not self.seller.vat_id

    @property
    def lacking(self) -> list[str]:
        """What nobody has said although it should be on the paper: for whoever is about to make the statement."""
        is_invoice = any(line.is_by_organizer and line.commission for line in self.commissions)
        lacking = {
            _("The VAT ID of the seller, since it is an invoice about the commission."): self.lacks_vat_id,
            _("The address of the seller, since it is an invoice about the commission."): is_invoice
            and not self.seller.address.strip(),
            _("Your own address and tax number, which pretix has in the settings of invoices."): is_invoice
            and len(self.letter.sender.splitlines()) < 2,
            _("The account to pay to, which pretix has in the settings of bank transfers."): self.due > 0
            and not self.account,
        }
        return [text for text, is_lacking in lacking.items() if is_lacking]
