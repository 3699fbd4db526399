"""What can be filled in about statements and payments, and filters of their lists."""

import json
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import sha256

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db.models import BigIntegerField, Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy
from pretix.base.forms.widgets import DatePickerWidget
from pretix.base.models import Event, Organizer

from ..models import Seller, SellerPayment, Statement
from ..models.document import MAX_DIGITS
from ..sellers.standing import Stage, Standing, standings
from .forms import ListFilterForm, is_number, label_of

#: What a statement says besides what it is about: the moment, and what follows from it.
OF_THE_MOMENT = ("letter", "until", "pay_until", "invoice_number")


def digest(said: dict) -> str:
    """
    The same for two statements that say the same, whenever they were made.

    :param said: of a ``documents.statements.SellerStatement``, as it is stored
    """
    content = {name: value for name, value in said.items() if name not in OF_THE_MOMENT}
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class EventsChoice(forms.ModelMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"})

    def label_from_instance(self, event):
        return f"{event.name} · {event.get_date_range_display()}"


class StateForm(forms.Form):
    """What a statement is to be about. When valid, ``moment`` is up to when, as it was when somebody looked."""

    events = EventsChoice(label=_("Events"), queryset=None)
    until = forms.DateField(
        label=pgettext_lazy("statement", "Up to"),
        required=False,
        validators=[MinValueValidator(date(1990, 1, 1))],
        widget=DatePickerWidget(),
        help_text=_(
            "Sales until the end of this day. Keep empty for all until now. What has come back or changed since "
            "the last statement is always included."
        ),
    )
    #: In ISO 8601: up to when somebody has looked.
    looked = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, organizer: Organizer, events: QuerySet[Event], **kwargs):
        super().__init__(*args, **kwargs)
        self.organizer, self.moment = organizer, now()
        self.fields["events"].queryset = events
        self.initial.setdefault("events", [event.pk for event in events])

    def clean_until(self) -> date | None:
        day = self.cleaned_data["until"]
        if day and day > now().astimezone(self.organizer.timezone).date():
            raise ValidationError(_("This day is not over yet, and what will be sold on it nobody knows."))
        return day

    def clean_looked(self) -> datetime | None:
        if not (value := self.cleaned_data["looked"]):
            return None
        try:
            looked = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValidationError(_("This is not a moment.")) from error
        if looked.tzinfo is None or looked > now():
            raise ValidationError(_("This is not a moment."))
        return looked

    def clean(self) -> dict:
        values = super().clean()
        self.moment = values.get("looked") or self.end_of(values.get("until"))
        return values

    def end_of(self, day: date | None) -> datetime:
        """In the organizer's timezone; now, if it is not over yet."""
        return min(datetime.combine(day, time.max, self.organizer.timezone), now()) if day else now()


class PaymentForm(forms.ModelForm):
    """
    What a seller has paid. Whoever writes down more than is open is asked first.
    """

    #: The amount that was confirmed.
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)
    #: The key of the statement's latest payment when the form was opened: one after it may be of the first click.
    after = forms.IntegerField(required=False, max_value=BigIntegerField.MAX_BIGINT, widget=forms.HiddenInput)

    class Meta:
        model = SellerPayment
        fields = ("amount", "date", "reference")
        widgets = {"date": DatePickerWidget()}

    def __init__(self, *args, statement: Statement, standing: Standing, **kwargs):
        super().__init__(*args, **kwargs)
        self.statement, self.standing = statement, standing
        places = settings.CURRENCY_PLACES.get(statement.document.currency, 2)
        self.fields["amount"] = forms.DecimalField(
            label=self.fields["amount"].label,
            help_text=self.fields["amount"].help_text,
            max_digits=MAX_DIGITS,
            decimal_places=places,
            localize=True,  # as the host's: where a browser's number field forbids the comma, 12,50 becomes 1250
        )
        self.fields["reference"].help_text = _("Such as the text of the bank transfer.")

    def clean_amount(self) -> Decimal:
        if not (amount := self.cleaned_data["amount"]):
            raise ValidationError(_("Nothing is no payment."))
        return amount

    def clean_date(self) -> date:
        day = self.cleaned_data["date"]
        if day > now().astimezone(self.statement.document.organizer.timezone).date():
            raise ValidationError(_("This day is in the future."))
        return day

    @property
    def is_too_much(self) -> bool:
        """More than is open; the rest pays other statements."""
        return self.cleaned_data["amount"] > max(self.standing.open, Decimal(0))

    @property
    def is_confirmed(self) -> bool:
        return self.cleaned_data["confirmed"] == self.to_confirm

    @property
    def to_confirm(self) -> str:
        """The amount, whatever the language."""
        return str(self.cleaned_data["amount"])


class SellersFilter(forms.ModelChoiceField):
    def label_from_instance(self, seller):
        return label_of(seller)


class Filter(ListFilterForm):
    """Of what is about sellers."""

    seller = SellersFilter(
        label=_("Seller"),
        required=False,
        queryset=Seller.objects.none(),
        empty_label=pgettext_lazy("filter", "All sellers"),
        widget=forms.Select(attrs={"class": "select2-static"}),
    )
    since = forms.DateField(label=pgettext_lazy("filter", "Since"), required=False, widget=DatePickerWidget())
    until = forms.DateField(label=pgettext_lazy("filter", "Until"), required=False, widget=DatePickerWidget())

    def __init__(self, *args, organizer: Organizer, sellers: QuerySet[Seller], **kwargs):
        super().__init__(*args, **kwargs)
        self.organizer = organizer
        self.fields["seller"].queryset = sellers


class StatementFilterForm(Filter):
    orders = {
        "number": "document__number",
        "seller": "seller__name",
        "created": "document__created",
        "pay_until": "pay_until",
        "due": "due",
    }

    event = forms.ModelChoiceField(
        label=_("Event"),
        required=False,
        queryset=Event.objects.none(),
        empty_label=pgettext_lazy("filter", "All events"),
        widget=forms.Select(attrs={"class": "select2-static"}),
    )
    stage = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All statements")), *Stage.choices],
    )
    field_order = ("seller", "event", "stage", "since", "until")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        stated = Statement.events.through.objects.filter(statement__document__organizer=self.organizer)
        events = Event.objects.filter(pk__in=stated.values("event")).order_by("-date_from", "pk")
        self.fields["event"].queryset = events

    def filter_qs(self, qs: QuerySet[Statement]) -> QuerySet[Statement]:
        values = self.cleaned_data
        if values["seller"]:
            qs = qs.filter(seller=values["seller"])
        if values["event"]:
            qs = qs.filter(events=values["event"])
        zone = self.organizer.timezone
        if values["since"]:
            qs = qs.filter(document__created__gte=datetime.combine(values["since"], time.min, zone))
        if values["until"]:
            qs = qs.filter(document__created__lte=datetime.combine(values["until"], time.max, zone))
        if values["stage"]:
            qs = qs.filter(pk__in=self._at(values["stage"], qs))
        if values["ordering"]:
            qs = qs.order_by(self.get_order_by(), "-pk")
        return qs

    def _at(self, stage: str, qs: QuerySet[Statement]) -> Iterable[int]:
        """What is open is computed over all payments of a seller, so the database can't tell."""
        return [pk for pk, standing in standings(self.organizer, qs).items() if standing.stage == stage]


class PaymentFilterForm(Filter):
    orders = {"date": "date", "seller": "seller__name", "amount": "amount", "created": "created"}

    query = forms.CharField(
        label=_("Search for…"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Reference, or number of a statement")}),
    )
    field_order = ("query", "seller", "since", "until")

    def filter_qs(self, qs: QuerySet[SellerPayment]) -> QuerySet[SellerPayment]:
        values = self.cleaned_data
        if query := values["query"]:
            named = Q(statement__document__number=query) if is_number(query) else Q()
            qs = qs.filter(Q(reference__icontains=query) | named)
        if values["seller"]:
            qs = qs.filter(seller=values["seller"])
        if values["since"]:
            qs = qs.filter(date__gte=values["since"])
        if values["until"]:
            qs = qs.filter(date__lte=values["until"])
        if values["ordering"]:
            qs = qs.order_by(self.get_order_by(), "-pk")
        return qs


def corrected(payment: SellerPayment) -> dict:
    """What the form has, if this payment was wrong."""
    reference = gettext("Correction: {reference}").format(reference=payment.reference or payment.date.isoformat())
    return {"amount": -payment.amount, "reference": reference[:190]}
