"""What the organizer can fill in: the request for a batch, filters of lists, and comments."""

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Min, Q, QuerySet, TextChoices
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, ngettext, pgettext_lazy
from pretix.base.forms.widgets import SplitDateTimePickerWidget
from pretix.base.models import Event, Order, OrderPosition, User
from pretix.control.forms.filter import FilterForm
from pretix.control.forms.widgets import Select2

from ..db.queries import unscoped
from ..host.forms import show_as_required
from ..issuing.channels import usual_channel
from ..issuing.delivery import OVER_LIMIT, check_delivery
from ..issuing.product import check, is_seated, next_number, valid_from_purchase
from ..issuing.quote import Quote, quote
from ..issuing.request import IssueRequest
from ..issuing.seats import next_free, read_seats
from ..models import (
    MAX_AMOUNT,
    MAX_NUMBER,
    Document,
    Job,
    JobFailed,
    OfflineSalesBatch,
    OfflineSalesTicket,
    Seller,
    join_names,
)
from ..sellers.stock import got_some
from ..tickets.figures import tickets_of_event
from ..tickets.lines import numbers_named
from ..tickets.selection import named_by
from ..tickets.state import IN_STATE, LET_IN_ALL_THE_SAME, OUTSTANDING, Fate, State

#: Who sends the same form again within this time after it is done has clicked twice; later, more tickets are wanted.
REPEATED = timedelta(minutes=1)

#: The fields of a batch that are those of the form.
AS_FILLED_IN = ("amount", "first_number", "book_size", "consignment", "testmode", "comment")

#: Where the problems of a batch's fields are shown that the form names differently.
SHOWN_AT = {"item": "itemvar", "variation": "itemvar"}


class Numbering(TextChoices):
    """How a batch comes to its first number."""

    GOING_ON = "on", _("Go on after the last number of this product")
    FROM = "from", _("Start with a number of your choice")
    AGAIN = (
        "again",
        _(
            "Start again with 1: other tickets of this product may have the same numbers, and only the number of the "
            "batch tells them apart"
        ),
    )


class SellerChoice(forms.ModelChoiceField):
    """One of an organizer's active sellers."""

    widget = forms.Select(attrs={"class": "select2-static"})

    def label_from_instance(self, seller):
        return label_of(seller)


def label_of(seller: Seller) -> str:
    return f"{seller.name} ({seller.identifier})" if seller.identifier else seller.name


class IssueForm(forms.Form):
    """What is asked of each request for tickets, be it for one batch or for several."""

    sales_channel = forms.ModelChoiceField(label=_("Sales channel"), queryset=None, empty_label=None)
    layout = forms.ModelChoiceField(
        label=_("Ticket layout"), queryset=None, required=False, empty_label=_("As the event prints them")
    )
    book_size = forms.IntegerField(
        label=_("Tickets in a book"),
        required=False,
        min_value=1,
        max_value=MAX_AMOUNT,
        help_text=_(
            "If the paper is bound in books. Tickets can then be named by their book as well, such as “book 3”."
        ),
    )
    consignment = forms.BooleanField(
        label=_("Consignment"),
        required=False,
        help_text=_(
            "The tickets are valid from the start, but their orders stay pending until the seller has paid. Otherwise "
            "they count as paid at once."
        ),
    )
    testmode = forms.BooleanField(
        label=_("Test mode"),
        required=False,
        help_text=_("Tickets made in test mode are no real sales, and their orders can be deleted later."),
    )
    comment = forms.CharField(
        label=_("Internal comment"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For you and your team, for example who is going to sell these tickets."),
    )
    over_limit = forms.BooleanField(label=_("Hand them over above the credit limit"), required=False)
    #: Which page this was filled in on.
    token = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)
    #: The job that failed and is tried again by this.
    again = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args,
        event: Event,
        user: User | None = None,
        initial: dict | None = None,
        may_exceed: bool = False,
        **kwargs,
    ):
        """
        :param user: who asks, where it is for tickets, and not only for what they would be
        :param may_exceed: whether somebody may get more than her credit limit, if it is confirmed
        """
        self.event, self.user = event, user
        self.request = self.job_id = self.job = None
        super().__init__(*args, initial=self._presets() | (initial or {}), **kwargs)
        self.fields["sales_channel"].queryset = event.organizer.sales_channels.all()
        if not may_exceed:
            del self.fields["over_limit"]
        self.fields["layout"].queryset = event.ticket_layouts.order_by("name", "pk")

    def _presets(self):
        return {
            "sales_channel": usual_channel(self.event),
            "testmode": self.event.testmode,
            "numbering": Numbering.GOING_ON,
        }

    def _look_for_job(self, token: UUID | None) -> None:
        """
        The key of the job that this form asks for, and the job, if there is one. It follows from the page, from who
        asks, and from what was filled in: whoever goes back to a page and changes something asks for other tickets, and
        for anybody else's page there is no job. After one that failed, or that was done a while ago, comes another one.
        """
        if not (token and self.user):
            self.job_id = uuid4()
            return
        pk = uuid5(token, json.dumps([self.event.pk, self.user.pk, self.request.data], sort_keys=True))
        over = Q(state=Job.State.FAILED) | Q(finished__lt=now() - REPEATED)
        while Job.objects.filter(over, pk=pk).exists():
            pk = uuid5(pk, "again")
        self.job_id, self.job = pk, Job.objects.filter(pk=pk).first()

    @property
    def asks_over_limit(self) -> bool:
        """Whether there is something to be confirmed, or was."""
        if not self.is_bound or "over_limit" not in self.fields:
            return False
        return bool(self.cleaned_data.get("over_limit") or self._is_over_limit)

    @property
    def _is_over_limit(self) -> bool:
        raise NotImplementedError


def active_sellers(event: Event) -> QuerySet[Seller]:
    return Seller.objects.filter(organizer=event.organizer, active=True)


class BatchForm(IssueForm):
    """
    The request for a batch. When valid, ``batch`` (unsaved) and ``seats`` are what ``issuing.product.check`` found
    sound, ``request`` what a job remembers of it, ``job_id`` the key that this job is to have, and ``job`` the one that
    has it already: then the same form was sent before, as by a double click.
    """

    itemvar = forms.ChoiceField(label=_("Product"))
    subevent = forms.ModelChoiceField(label=pgettext_lazy("subevent", "Date"), queryset=None, empty_label="")
    amount = forms.IntegerField(label=_("Number of tickets"), min_value=1, max_value=MAX_AMOUNT)
    numbering = forms.ChoiceField(
        label=_("Ticket numbers"), choices=Numbering.choices, required=False, widget=forms.RadioSelect
    )
    first_number = forms.IntegerField(
        label=_("First ticket number"),
        required=False,
        min_value=1,
        max_value=MAX_NUMBER,
        widget=forms.NumberInput(attrs={"data-display-dependency": "#id_numbering_1", "data-disable-dependent": ""}),
        help_text=_("None of the numbers may belong to another batch of the product."),
    )
    valid_from = forms.SplitDateTimeField(
        label=_("Valid from"),
        required=False,
        widget=SplitDateTimePickerWidget(),
        help_text=_("For products that are otherwise valid from the moment when they are bought."),
    )
    seats = forms.CharField(
        label=_("Seats"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "For products with seats: one a line, as they are called in the seating plan, in the order of the ticket "
            "numbers. If you leave this empty, the next free seats of the product are taken."
        ),
    )
    seller = SellerChoice(
        label=_("Seller"),
        queryset=None,
        required=False,
        empty_label=_("Nobody, they stay in stock"),
        help_text=_("Whoever gets these tickets as soon as they are made, with a delivery note."),
    )

    def __init__(self, *args, event: Event, has_sellers: bool = False, **kwargs):
        """:param has_sellers: whether one may be chosen, if there are any"""
        self.batch = None
        self.seats = []
        super().__init__(*args, event=event, **kwargs)
        products = products_to_issue(event)
        self.fields["itemvar"].choices = products if len(products) == 1 else [("", ""), *products]
        self._ask_for_start_of(valid_from_purchase(event))
        for name in {"numbering", "first_number", "valid_from"} & self.fields.keys():
            show_as_required(self.fields[name])
        if has_sellers and active_sellers(event).exists():
            self.fields["seller"].queryset = active_sellers(event)
        else:
            del self.fields["seller"]
        if event.has_subevents:
            self.fields["subevent"].queryset = event.subevents.all()
            self.fields["subevent"].widget = date_picker(event)
            self.fields["subevent"].widget.choices = self.fields["subevent"].choices
        else:
            del self.fields["subevent"]
        if not event.seat_category_mappings.exists():
            del self.fields["seats"]

    def _ask_for_start_of(self, items):
        """Only of these products; of all of them, as long as the page can't know which one is chosen."""
        if not items:
            del self.fields["valid_from"]
            return
        chosen = {
            "data-display-dependency": "#id_itemvar",
            "data-display-dependency-regex": f"/^({'|'.join(str(item.pk) for item in items)})(-|$)/",
            "data-disable-dependent": "",
        }
        date, time = self.fields["valid_from"].widget.widgets
        date.attrs |= chosen | {"aria-label": _("Start date")}
        time.attrs |= chosen | {"aria-label": _("Start time")}

    @classmethod
    def initial_from(cls, batch: OfflineSalesBatch, numbers_go_on: bool) -> dict:
        """To ask once more for what was asked for before."""
        values = {name: getattr(batch, f"{name}_id") for name in ("subevent", "sales_channel", "layout")}
        values |= {name: getattr(batch, name) for name in (*AS_FILLED_IN, "valid_from")}
        if not numbers_go_on:
            values["numbering"] = Numbering.FROM if batch.first_number else Numbering.AGAIN
        itemvar = f"{batch.item_id}-{batch.variation_id}" if batch.variation_id else str(batch.item_id)
        return {"itemvar": itemvar, **values}

    def clean(self):
        values = super().clean()
        if problem := self._contradiction(values):
            self.add_error("first_number", problem)
        if self.errors:
            return values
        numbers_go_on = (values["numbering"] or Numbering.GOING_ON) == Numbering.GOING_ON
        batch = self._batch(values)
        try:
            self.seats = read_seats(batch, values.get("seats", ""))
            next_seats = not self.seats and is_seated(batch)
            over_limit = values.get("over_limit", False)
            self.request = IssueRequest.of(
                batch, self.seats, numbers_go_on, next_seats, values.get("seller"), over_limit
            )
            self._look_for_job(values["token"])
            if not self.job:  # or the first one has what the second one asks for
                self.seats = next_free(batch) if next_seats else self.seats
                check(batch, self.seats)
        except ValidationError as error:
            for field, messages in _at_their_fields(error):
                self.add_error(field, messages)
        else:
            self.batch = batch
            if numbers_go_on:
                batch.first_number = next_number(self.event, batch.item)  # in all likelihood
        return values

    def _contradiction(self, values) -> str | None:
        if "first_number" not in values:
            return None  # wrong by itself
        if values.get("numbering") == Numbering.FROM:
            return None if values["first_number"] else self.fields["first_number"].error_messages["required"]
        return _("You have not chosen to start with a number of your choice.") if values["first_number"] else None

    def offer(self) -> Quote | None:
        """What the batch would cost. That there are too few tickets, or that the host refuses them, is an error."""
        try:
            offer = quote(self.batch, self.seats)
        except JobFailed as error:
            self.add_error(None, str(error))
            return None
        if not offer.suffices(self.batch.amount):
            left = ngettext("There is only %(left)s ticket left.", "There are only %(left)s tickets left.", offer.left)
            self.add_error("amount", left % {"left": offer.left})
        if seller := self.cleaned_data.get("seller"):
            try:
                check_delivery(self.batch, seller, offer.price, self.request.over_limit)
            except ValidationError as error:
                self.add_error(None, error)
        return offer

    @property
    def _is_over_limit(self):
        return self.has_error("seller", OVER_LIMIT)

    def _batch(self, values) -> OfflineSalesBatch:
        item, _dash, variation = values["itemvar"].partition("-")
        item = self.event.items.get(pk=item)
        return OfflineSalesBatch(
            event=self.event,
            item=item,
            variation=item.variations.get(pk=variation) if variation else None,
            subevent=values.get("subevent"),
            valid_from=values.get("valid_from"),
            **{name: values[name] for name in (*AS_FILLED_IN, "sales_channel", "layout")},
        )


def problems_of(form: forms.Form, filled_in: Callable[[str], bool] = lambda field: True) -> list[str]:
    """What is wrong with a form, each with its field's label, where the form itself is not shown again."""
    return [
        f"{form[field].label}: {message}" if field in form.fields else message
        for field, errors in form.errors.items()
        if field not in form.fields or filled_in(field)
        for message in errors
    ]


def products_to_issue(event) -> list[tuple[str, str]]:
    """Everything that can be chosen; whether it can be sold this way says the check, which can also say why not."""
    choices = []
    for item in event.items.filter(active=True).prefetch_related("variations"):
        variations = item.variations.all()
        choices += [
            (f"{item.pk}-{variation.pk}", join_names(item, variation)) for variation in variations if variation.active
        ]
        if not variations:
            choices.append((str(item.pk), str(item)))
    return choices


def _at_their_fields(error: ValidationError):
    for field, messages in error.message_dict.items():
        yield SHOWN_AT.get(field, field), messages


def date_picker(event, **attrs) -> Select2:
    """The host's, which searches as you type."""
    place = {"organizer": event.organizer.slug, "event": event.slug}
    url = reverse("control:event.subevents.select2", kwargs=place)
    return Select2(attrs={"data-model-select2": "event", "data-select2-url": url, **attrs})


class CommentForm(forms.ModelForm):
    class Meta:
        model = OfflineSalesBatch
        fields = ["comment"]
        widgets = {"comment": forms.Textarea(attrs={"rows": 3})}


class SellerFilter(forms.ChoiceField):
    """Whose tickets. It has nothing to offer as long as nobody has got any."""

    #: Nobody's.
    STOCK = "stock"

    def __init__(self, **kwargs):
        super().__init__(label=_("Seller"), required=False, **kwargs)

    def offer(self, documents: QuerySet[Document], nobody: bool = True) -> bool:
        """
        Offer those who got some by these documents. Returns whether there are any.

        :param nobody: whether one may ask for tickets that nobody holds
        """
        sellers = [(str(seller.pk), seller.name) for seller in got_some(documents).only("name")]
        in_stock = [(self.STOCK, _("Nobody: in stock"))] if nobody else []
        self.choices = [("", pgettext_lazy("filter", "All sellers")), *in_stock, *sellers]
        return bool(sellers)

    @classmethod
    def tickets(cls, value: str) -> Q:
        """:param value: as it was chosen"""
        return Q(seller=None if value == cls.STOCK else value)


class ListFilterForm(FilterForm):
    @property
    def searching(self) -> bool:
        """Does it leave out some? (The host's ``filtered`` is also true where they are only sorted.)"""
        return self.is_valid() and any(value for name, value in self.cleaned_data.items() if name != "ordering")


class BatchFilterForm(ListFilterForm):
    orders = {
        "number": "pk",
        "creation": "creation",
        "product": "item__position",
        "date": "subevent__date_from",
        "channel": "sales_channel__position",
        "amount": "amount",
    }

    query = forms.CharField(
        label=_("Search for…"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Comment, batch number or order code")}),
    )
    item = forms.ChoiceField(label=_("Product"), required=False)
    subevent = forms.ModelChoiceField(
        label=pgettext_lazy("subevent", "Date"),
        queryset=None,
        required=False,
        empty_label=pgettext_lazy("subevent", "All dates"),
    )
    sales_channel = forms.ModelChoiceField(
        label=_("Sales channel"),
        queryset=None,
        required=False,
        empty_label=pgettext_lazy("filter", "All sales channels"),
    )
    seller = SellerFilter()
    testmode = forms.ChoiceField(
        label=_("Test mode"),
        required=False,
        choices=[("", _("All batches")), ("no", _("Without test mode")), ("yes", _("Only test mode"))],
    )

    def __init__(self, *args, event: Event, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["item"].choices = [("", _("All products")), *products_to_find(event)]
        self.fields["sales_channel"].queryset = event.organizer.sales_channels.all()
        if not self.fields["seller"].offer(Document.objects.filter(event=event), nobody=False):
            del self.fields["seller"]
        if event.has_subevents:
            self.fields["subevent"].queryset = event.subevents.all()
            self.fields["subevent"].widget = date_picker(
                event, **{"data-placeholder": pgettext_lazy("subevent", "All dates")}
            )
            self.fields["subevent"].widget.choices = self.fields["subevent"].choices
        else:
            del self.fields["subevent"]

    def filter_qs(self, qs: QuerySet[OfflineSalesBatch]) -> QuerySet[OfflineSalesBatch]:
        values = self.cleaned_data
        if query := values["query"]:
            qs = qs.filter(_mentions(query))
        if values["item"]:
            item, _dash, variation = values["item"].partition("-")
            qs = qs.filter(item=item, **({"variation": variation} if variation else {}))
        for name in ("subevent", "sales_channel"):
            if values.get(name):
                qs = qs.filter(**{name: values[name]})
        if seller := values.get("seller"):
            qs = qs.filter(pk__in=_batches_of(SellerFilter.tickets(seller)))
        if values["testmode"]:
            qs = qs.filter(testmode=values["testmode"] == "yes")
        if values["ordering"]:
            qs = qs.order_by(self.get_order_by(), "-pk")
        return qs


def products_to_find(event) -> list[tuple[str, str]]:
    """Inactive ones too: their tickets are still out there."""
    choices = []
    for item in event.items.prefetch_related("variations"):
        choices.append((str(item.pk), str(item)))
        choices += [(f"{item.pk}-{variation.pk}", join_names(item, variation)) for variation in item.variations.all()]
    return choices


def _mentions(query: str) -> Q:
    """Batches with this comment or number, and those of the ticket that it names or the order with this code."""
    number = query.removeprefix("#")
    return (
        Q(comment__icontains=query)
        | (Q(pk=number) if is_number(number) else Q())
        | Q(pk__in=_batches_of(_is_ticket(query)))
    )


def _batches_of(tickets: Q) -> list[int]:
    """Looked for first, by the tickets' indexes: as a part of the question, all tickets would be read for it."""
    found = unscoped(OfflineSalesTicket.objects).filter(tickets).order_by()
    return list(found.values_list("batch", flat=True).distinct())


def is_number(text: str) -> bool:
    """Python refuses to read numbers of thousands of digits."""
    return text.isascii() and text.isdigit() and len(text) <= len(str(MAX_NUMBER))


def _is_ticket(query: str) -> Q:
    """
    Tickets that somebody means who types their name, an order code, or scans a ticket. The few orders that this may be
    are looked for first, or it would be asked of each ticket whether it is one of them.
    """
    scanned = Q(secret=query) | Q(pseudonymization_id=query.upper())
    positions = unscoped(OrderPosition.all).filter(scanned).order_by()
    code = query.rpartition("-")[2] if len(query) <= 64 else query
    orders = unscoped(Order.objects).filter(code=Order.normalize_code(code)).order_by()
    found = Q(order__in=[*positions.values_list("order", flat=True), *orders.values_list("pk", flat=True)])
    return found | (named_by(query) or Q())


#: Of what is outstanding, where it is.
WHERE = {state.value: state.label for state in OUTSTANDING}


#: The filter for tickets whose orders staff has marked as expired. (Nothing else does, on consignment.)
EXPIRED = "expired"


class TicketFilterForm(FilterForm):
    orders = {
        "number": "number",
        "code": "order__code",
        "seller": "seller__name",
        "printed": "last_printed",
        "entered": "entered",
    }

    query = forms.CharField(
        label=_("Search for…"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Number, order code or scanned ticket")}),
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[
            ("", _("All tickets")),
            *Fate.choices,
            *WHERE.items(),
            ("let_in", _("Returned, but let in")),
            ("in", _("Checked in")),
            ("out", _("Outstanding, not checked in")),
            ("printed", _("Printed")),
            ("unprinted", _("Never printed")),
            (EXPIRED, _("Expired")),
        ],
    )

    STATUS = {
        **{fate.value: Q(fate=fate) for fate in Fate},
        **{state: IN_STATE[State(state)] for state in WHERE},
        "in": Q(checked_in=True),
        "out": Q(fate=Fate.OUTSTANDING, checked_in=False),
        "let_in": LET_IN_ALL_THE_SAME,
        "printed": Q(printed=True),
        "unprinted": Q(printed=False),
        EXPIRED: Q(order__status=Order.STATUS_EXPIRED),
    }

    seller = SellerFilter()

    def __init__(self, *args, batch: OfflineSalesBatch, **kwargs):
        super().__init__(*args, **kwargs)
        self.batch = batch
        if not self.fields["seller"].offer(Document.objects.filter(movements__batch=batch)):
            del self.fields["seller"]

    def filter_qs(self, qs: QuerySet[OfflineSalesTicket]) -> QuerySet[OfflineSalesTicket]:
        """:param qs: with their state (see ``tickets.state``)"""
        values = self.cleaned_data
        if query := values["query"]:
            numbers = numbers_named(query, self.batch)
            qs = qs.filter(_is_ticket(query) | (Q(number__range=(numbers[0], numbers[-1])) if numbers else Q(pk=None)))
        if values["status"]:
            qs = qs.filter(self.STATUS[values["status"]])
        if seller := values.get("seller"):
            qs = qs.filter(SellerFilter.tickets(seller))
        if values["ordering"]:
            qs = qs.order_by(self.get_order_by(), "number")
        return qs


def _ends(batch: int) -> tuple[int, int]:
    """
    The first and the last order of a batch. They were made together: who knows where they are does not look for the
    newest of them among all orders.
    """
    orders = unscoped(OfflineSalesTicket.objects).filter(batch=batch).order_by()
    # For the ends alone, PostgreSQL would begin at those of the whole table.
    found = orders.aggregate(first=Min("order"), last=Max("order"), count=Count("pk"))
    return found["first"] or 0, found["last"] or 0


class OrderSearchForm(forms.Form):
    """In the host's advanced search for orders."""

    batch = forms.IntegerField(
        label=_("Batch (offline sales)"),
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        help_text=_("The number of the batch."),
    )
    seller = SellerFilter()

    def __init__(self, *args, event: Event, **kwargs):
        super().__init__(*args, **kwargs)
        self.event = event
        self.fields["seller"].label = _("Seller (offline sales)")
        if not self.fields["seller"].offer(Document.objects.filter(event=event)):
            del self.fields["seller"]

    def filter_qs(self, qs: QuerySet[Order]) -> QuerySet[Order]:
        if batch := self.cleaned_data.get("batch"):
            qs = qs.filter(pk__range=_ends(batch), offline_sales_ticket__batch=batch)
        if seller := self.cleaned_data.get("seller"):
            tickets = tickets_of_event(self.event).filter(SellerFilter.tickets(seller))
            qs = qs.filter(pk__in=tickets.values("order"))
        return qs

    def filter_to_strings(self) -> list[str]:
        values = {name: self.cleaned_data.get(name) for name in self.fields}
        if values.get("seller"):
            values["seller"] = dict(self.fields["seller"].choices)[values["seller"]]
        return [f"{self.fields[name].label}: {value}" for name, value in values.items() if value]
