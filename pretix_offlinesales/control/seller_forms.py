"""What can be filled in about sellers: who they are, what was agreed with them, and filters of their list."""

from collections.abc import Iterable
from datetime import timedelta
from functools import reduce
from itertools import groupby
from operator import or_

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, pgettext_lazy
from pretix.base.models import Event, Item, Organizer

from ..models import Document, ProductCommission, Seller
from ..models.activation import PLUGIN
from ..sellers.accounts import overdue
from ..sellers.records import problems
from ..sellers.terms import Rate
from .forms import ListFilterForm

WHO = ("name", "identifier", "contact", "email", "phone", "address", "vat_id", "locale", "currency", "comment")
COMMISSION = (
    "commission_percent",
    "commission_fixed",
    "commission_tax_rate",
    "commission_tax_text",
    "commission_invoiced_by",
)
CONDITIONS = ("firm", "credit_limit", "deadline_days", "deadline_action", "payment_days")


class SellerForm(forms.ModelForm):
    """When valid, ``cleaned_data`` is what ``sellers.records`` takes."""

    locale = forms.ChoiceField(label=_("Language"), required=False)
    currency = forms.ChoiceField(
        label=_("Currency"),
        required=False,
        help_text=_("If you leave this empty, it will be that of the first tickets that are handed over."),
    )

    class Meta:
        model = Seller
        fields = (*WHO, *COMMISSION, *CONDITIONS)
        widgets = {"address": forms.Textarea(attrs={"rows": 4}), "comment": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args, organizer: Organizer, **kwargs):
        self.organizer = organizer
        super().__init__(*args, **kwargs)
        self.fields["locale"].choices = [("", _("As the event")), *settings.LANGUAGES]
        self.fields["currency"].choices = [("", ""), *Event.CURRENCY_CHOICES]

    def clean(self) -> dict:
        values = super().clean()
        seller = self.instance if self.instance.pk else None
        for field, message in problems(self.organizer, seller, values).items():
            self.add_error(field, message)
        return values


class CommissionForm(forms.ModelForm):
    """What a seller keeps of tickets of one product."""

    item = forms.ModelChoiceField(label=_("Product"), queryset=Item.objects.none(), empty_label="")

    class Meta:
        model = ProductCommission
        fields = ("item", "commission_percent", "commission_fixed")
        help_texts = {"commission_percent": ""}

    def __init__(self, *args, items: QuerySet[Item], choices: list, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["item"].queryset = items
        self.fields["item"].choices = choices


class BaseCommissionFormSet(forms.BaseFormSet):
    """When valid, ``rates`` is what ``sellers.records`` takes."""

    def __init__(self, *args, organizer: Organizer, rates: dict[int, Rate], **kwargs):
        """:param rates: what there is"""
        items = _products(organizer, rates)
        initial = [
            {"item": item, "commission_percent": rate.percent, "commission_fixed": rate.fixed}
            for item, rate in rates.items()
        ]
        form_kwargs = {"items": items, "choices": [("", ""), *_by_event(items)]}
        super().__init__(*args, initial=initial, form_kwargs=form_kwargs, **kwargs)

    def clean(self) -> None:
        seen = set()
        for form in self._filled_in():
            item = form.cleaned_data["item"]
            if item in seen:
                form.add_error("item", _("This product is named twice."))
            seen.add(item)

    @property
    def rates(self) -> dict[int, Rate]:
        rows = [form.cleaned_data for form in self._filled_in()]
        return {row["item"].pk: Rate(row["commission_percent"], row["commission_fixed"]) for row in rows}

    def _filled_in(self) -> Iterable[CommissionForm]:
        """Those that are there to stay."""
        deleted = self.deleted_forms
        return [form for form in self.forms if form not in deleted and form.cleaned_data.get("item")]


CommissionFormSet: type[BaseCommissionFormSet] = forms.formset_factory(
    CommissionForm, formset=BaseCommissionFormSet, extra=0, can_delete=True, max_num=1000
)


def _products(organizer: Organizer, chosen: Iterable[int]) -> QuerySet[Item]:
    """Of events that use the plugin and are not long over, and those that are chosen already."""
    items = Item.objects.filter(event__organizer=organizer).alias(
        ends=Coalesce("event__date_to", "event__date_from"),
    )
    offered = Q(event__plugins__contains=PLUGIN) & (
        Q(ends__gte=now() - timedelta(days=7)) | Q(event__has_subevents=True)
    )
    return (
        items.filter(offered | Q(pk__in=chosen)).select_related("event").order_by("event", "category", "position", "pk")
    )


def _by_event(items: Iterable[Item]) -> list[tuple[str, list[tuple[int, str]]]]:
    return [
        (str(event), [(item.pk, str(item)) for item in of_event])
        for event, of_event in groupby(items, key=lambda item: item.event)
    ]


class SellerCommentForm(forms.ModelForm):
    class Meta:
        model = Seller
        fields = ["comment"]
        widgets = {"comment": forms.Textarea(attrs={"rows": 3})}


class SellerFilterForm(ListFilterForm):
    orders = {"name": "name", "identifier": "identifier", "created": "created", "movement": "last_movement"}

    query = forms.CharField(
        label=_("Search for…"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Name, identifier, contact, address or comment")}),
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[
            ("", pgettext_lazy("sellers", "All sellers")),
            ("active", pgettext_lazy("sellers", "Active")),
            ("inactive", pgettext_lazy("sellers", "Inactive")),
        ],
    )
    tickets = forms.ChoiceField(
        label=_("Tickets"),
        required=False,
        choices=[
            ("", pgettext_lazy("sellers", "With or without tickets")),
            ("some", _("Was handed tickets")),
            ("none", _("Was never handed tickets")),
            ("overdue", _("Holds tickets that are overdue")),
        ],
    )

    def filter_qs(self, qs: QuerySet[Seller]) -> QuerySet[Seller]:
        values = self.cleaned_data
        if query := values["query"]:
            searched = ("name", "identifier", "contact", "email", "phone", "address", "vat_id", "comment")
            qs = qs.filter(reduce(or_, (Q(**{f"{field}__icontains": query}) for field in searched)))
        if values["status"]:
            qs = qs.filter(active=values["status"] == "active")
        if values["tickets"] == "overdue":
            qs = qs.filter(pk__in=overdue(qs))
        elif values["tickets"]:
            qs = qs.filter(last_movement__isnull=values["tickets"] == "none")
        if values["ordering"]:
            qs = qs.order_by(self.get_order_by(), "pk")
        return qs


class SalesFilterForm(forms.Form):
    event = forms.ModelChoiceField(
        label=_("Event"),
        required=False,
        queryset=Event.objects.none(),
        empty_label=pgettext_lazy("filter", "All events"),
        widget=forms.Select(attrs={"class": "select2-static"}),
    )

    def __init__(self, *args, organizer: Organizer, **kwargs):
        super().__init__(*args, **kwargs)
        handed_over = Document.objects.filter(organizer=organizer, event__isnull=False)
        self.fields["event"].queryset = Event.objects.filter(pk__in=handed_over.values("event")).order_by("-date_from")
