"""What can be filled in where tickets are handed over."""

from collections.abc import Iterable

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy
from pretix.base.models import Event

from ..db.queries import unscoped
from ..models import MAX_AMOUNT, OfflineSalesBatch, OfflineSalesTicket, Seller
from ..sellers.handing_over import WHEREVER
from .choosing import ASKED, LinesForm
from .forms import date_picker, label_of, products_to_find

#: The choice that is no seller.
STOCK = "stock"


class SellerField(forms.ChoiceField):
    """A seller, or the stock (None). ``WHEREVER``, if nothing is chosen and nothing needs to be."""

    def offer(self, sellers: Iterable[Seller], nothing: str) -> None:
        self.sellers = {str(seller.pk): seller for seller in sellers}
        names = [(key, label_of(seller)) for key, seller in self.sellers.items()]
        self.choices = [("", nothing), (STOCK, _("Stock")), *names]

    def clean(self, value):
        if not (key := super().clean(value)):
            return WHEREVER
        return None if key == STOCK else self.sellers[key]


def key_of(seller: Seller | None) -> str:
    return str(seller.pk) if seller else STOCK


class HandOverForm(LinesForm):
    """Which tickets, from whom, and to whom."""

    source = SellerField(
        label=pgettext_lazy("tickets", "From"),
        required=False,
        widget=forms.Select(attrs={"class": "select2-static", **ASKED}),
        help_text=_("All come from one place. If you leave this open, it is where most of them are."),
    )
    target = SellerField(
        label=pgettext_lazy("tickets", "To"),
        widget=forms.Select(attrs={"class": "select2-static", **ASKED}),
    )
    comment = forms.CharField(
        label=_("Comment"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It is printed on the document."),
    )
    #: Whose numbers are meant where none is named.
    batch_key = forms.CharField(required=False, widget=forms.HiddenInput(attrs=ASKED))

    field_order = ("source", "target", "lines", "file", "comment")

    def __init__(self, *args, event: Event, batch: OfflineSalesBatch | None, **kwargs):
        super().__init__(*args, event=event, batch=batch, **kwargs)
        held = unscoped(OfflineSalesTicket.objects).filter(seller=OuterRef("pk")).order_by()
        sellers = list(Seller.objects.filter(Q(active=True) | Exists(held), organizer=event.organizer))
        self.fields["source"].offer(sellers, gettext("Wherever they are"))
        self.fields["target"].offer((seller for seller in sellers if seller.active), "")
        hints = [self.fields["lines"].help_text, gettext("Books are understood, too, such as #3: book 5.")]
        if batch:
            hints.append(gettext("Numbers without a batch are those of #{batch}.").format(batch=batch.pk))
        self.fields["lines"].help_text = " ".join(hints)

    def clean(self):
        values = super().clean()
        if "source" in values and values.get("target", WHEREVER) == values["source"]:
            self.add_error("target", _("The tickets are to come from somewhere else."))
        return values


class NextForm(forms.Form):
    """How many of each product are taken from the pile. It is part of the same form on the page."""

    each = forms.IntegerField(
        label=_("How many of each product"),
        required=False,
        min_value=1,
        max_value=MAX_AMOUNT,
        help_text=_("If you leave this empty, all that there are."),
    )
    products = forms.MultipleChoiceField(
        label=_("Only these products"),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"}),
    )
    subevent = forms.ModelChoiceField(
        label=pgettext_lazy("subevent", "Date"),
        queryset=None,
        required=False,
        empty_label=pgettext_lazy("subevent", "All dates"),
    )

    def __init__(self, *args, event: Event, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["products"].choices = _products(event)
        if event.has_subevents:
            self.fields["subevent"].queryset = event.subevents.all()
            self.fields["subevent"].widget = date_picker(
                event, **{"data-placeholder": pgettext_lazy("subevent", "All dates")}
            )
            self.fields["subevent"].widget.choices = self.fields["subevent"].choices
        else:
            del self.fields["subevent"]

    @property
    def chosen(self) -> list[tuple[int, int | None]]:
        """The keys of products and variations."""
        pairs = (value.partition("-") for value in self.cleaned_data["products"])
        return [(int(item), int(variation) if variation else None) for item, _dash, variation in pairs]


def _products(event: Event) -> list[tuple[str, str]]:
    """Those of which there are tickets."""
    batches = OfflineSalesBatch.objects.filter(event=event, completed__isnull=False, testmode=False).order_by()
    issued = set(batches.values_list("item", "variation").distinct())
    keys = {f"{item}-{variation}" if variation else str(item) for item, variation in issued}
    return [(key, name) for key, name in products_to_find(event) if key in keys]
