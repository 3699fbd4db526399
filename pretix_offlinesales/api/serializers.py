"""The batch as the API shows it, as it is asked for, and as it is returned."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from pretix.base.models import Item, ItemVariation, SalesChannel, SubEvent
from pretix.plugins.ticketoutputpdf.models import TicketLayout
from rest_framework import serializers

from ..after_sale.kind import AfterSale
from ..db.queries import planned_plainly
from ..issuing.delivery import check_delivery
from ..issuing.product import check
from ..issuing.quote import quote
from ..models import MAX_AMOUNT, MAX_NUMBER, JobFailed, OfflineSalesBatch, Seller
from ..printing.choice import Only, choose
from ..printing.request import PrintRequest
from ..printing.sheets import MAX_UNKNOWN, Sheet
from ..tickets.layouts import usual_layout
from ..tickets.selection import By, Selection, all_but, holders
from ..tickets.worth import NOTHING


class BatchSerializer(serializers.ModelSerializer):
    """A batch in a list. Only its comment can be changed."""

    sales_channel: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="identifier", read_only=True)

    class Meta:
        model = OfflineSalesBatch
        fields: tuple[str, ...] = (
            "id",
            "creation",
            "testmode",
            "sales_channel",
            "layout",
            "subevent",
            "item",
            "variation",
            "amount",
            "comment",
        )
        read_only_fields = tuple(name for name in fields if name != "comment")


class BatchDetailSerializer(BatchSerializer):
    """A batch on its own, with the codes of all its orders that still exist, by ticket number."""

    orders = serializers.SerializerMethodField()

    class Meta(BatchSerializer.Meta):
        fields = (*BatchSerializer.Meta.fields, "orders")

    def get_orders(self, batch: OfflineSalesBatch) -> list[str]:
        with planned_plainly():
            return list(batch.tickets.order_by("number").values_list("order__code", flat=True))


class PrimaryKeyField(serializers.PrimaryKeyRelatedField):
    """Looks only for whole numbers: infinity (``1e400`` in JSON) would be an error of the server."""

    def __init__(self, **kwargs):
        super().__init__(pk_field=serializers.IntegerField(), **kwargs)


class Codes(serializers.ListField):
    """
    Not more than there are tickets. That is looked at before each of them, and of those that are wrong only the first
    is named: it takes much longer to say what is wrong than to send it.
    """

    child = serializers.CharField()

    def __init__(self, **kwargs):
        super().__init__(max_length=MAX_AMOUNT, **kwargs)

    def run_child_validation(self, data):
        if len(data) > MAX_AMOUNT:
            raise serializers.ValidationError(self.error_messages["max_length"].format(max_length=MAX_AMOUNT))
        codes = []
        for index, code in enumerate(data):
            try:
                codes.append(self.child.run_validation(code))
            except serializers.ValidationError as error:
                wrong: dict = {index: error.detail}  # as the framework itself names them, whatever its stubs say
                raise serializers.ValidationError(wrong) from error
        return codes


class BatchRequestSerializer(serializers.Serializer):
    """
    What may be asked for. When valid, ``batch`` (unsaved) and ``chosen_seats`` are what ``issuing.product.check`` found
    sound.
    """

    testmode = serializers.BooleanField(default=False)
    sales_channel: serializers.SlugRelatedField = serializers.SlugRelatedField(
        slug_field="identifier", queryset=SalesChannel.objects.none()
    )
    layout = PrimaryKeyField(queryset=TicketLayout.objects.none(), required=False, allow_null=True)
    subevent = PrimaryKeyField(queryset=SubEvent.objects.none(), default=None, allow_null=True)
    item = PrimaryKeyField(queryset=Item.objects.none())
    variation = PrimaryKeyField(queryset=ItemVariation.objects.none(), default=None, allow_null=True)
    amount = serializers.IntegerField(min_value=1, max_value=MAX_AMOUNT)
    first_number = serializers.IntegerField(default=None, allow_null=True, min_value=1, max_value=MAX_NUMBER)
    book_size = serializers.IntegerField(default=None, allow_null=True, min_value=1, max_value=MAX_AMOUNT)
    seller = PrimaryKeyField(queryset=Seller.objects.none(), default=None, allow_null=True)
    valid_from = serializers.DateTimeField(default=None, allow_null=True)
    consignment = serializers.BooleanField(default=False)
    comment = serializers.CharField(default="", allow_blank=True)
    seats = Codes(child=serializers.CharField(), default=list)

    def __init__(self, *args, event, may_see_sellers=False, **kwargs):
        """:param may_see_sellers: whether whoever asks can name one; else there seems to be none"""
        super().__init__(*args, **kwargs)
        self.event = event
        sellers = Seller.objects.filter(organizer=event.organizer)
        of_event = {
            "seller": sellers if may_see_sellers else sellers.none(),
            "sales_channel": event.organizer.sales_channels.all(),
            "layout": event.ticket_layouts.all(),
            "subevent": event.subevents.all(),
            "item": event.items.all(),
            "variation": ItemVariation.objects.filter(item__event=event),
        }
        for name, queryset in of_event.items():
            self.fields[name].queryset = queryset  # type: ignore[attr-defined]  # these fields have one

    def validate(self, values):
        if "layout" not in values:
            values["layout"] = usual_layout(self.event, values["item"], values["sales_channel"])
        self.chosen_seats = self._seats(values.pop("seats"), values["subevent"])
        self.chosen_seller = values.pop("seller")
        self.batch = OfflineSalesBatch(event=self.event, **values)
        try:
            check(self.batch, self.chosen_seats)
            if self.chosen_seller:
                check_delivery(self.batch, self.chosen_seller, self._price())
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return values

    def _price(self):
        """Of one ticket. What the host says against it is told by the job, as without a seller."""
        try:
            return quote(self.batch, self.chosen_seats).price
        except JobFailed:
            return NOTHING

    def _seats(self, guids, subevent):
        """The host's API names seats by their GUID, which is unique within a date."""
        seats = {seat.seat_guid: seat for seat in self.event.seats.filter(seat_guid__in=guids, subevent=subevent)}
        unknown = [guid for guid in guids if guid not in seats]
        if unknown:
            message = _("The seat “{seat}” does not exist.").format(seat=unknown[0])
            raise serializers.ValidationError({"seats": [message]})
        return [seats[guid] for guid in guids]


class Text(serializers.CharField):
    """Only what JSON calls a string: numbers are no order codes."""

    def to_internal_value(self, value):
        if not isinstance(value, str):
            self.fail("invalid")
        return super().to_internal_value(value)


class Truth(serializers.BooleanField):
    """Only ``true`` and ``false``."""

    def to_internal_value(self, value):
        if not isinstance(value, bool):
            self.fail("invalid", input=value)
        return value


def refuse_unknown(serializer: serializers.Serializer) -> None:
    """A misspelled field must not mean all tickets."""
    unknown = (name for name in serializer.initial_data if name not in serializer.fields)
    if wrong := list(islice(unknown, MAX_UNKNOWN)):
        raise serializers.ValidationError(dict.fromkeys(wrong, [_("There is no such field.")]))


class SheetField(serializers.Field):
    """A ``Sheet``, as an object. Errors are named by its keys."""

    def to_internal_value(self, data):
        try:
            return Sheet.parse(data)
        except DjangoValidationError as error:
            raise as_answer(error) from error


def as_answer(error: DjangoValidationError) -> serializers.ValidationError:
    return serializers.ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)


class PrintRequestSerializer(serializers.Serializer):
    """What is printed, and on what; nothing of it is required. When valid, ``print_request`` is what a job is asked."""

    tickets = Text(required=False)
    only = serializers.ChoiceField(choices=Only.choices, required=False, allow_null=True)
    sheet = SheetField(required=False, allow_null=True)

    def __init__(self, *args, batch, **kwargs):
        super().__init__(*args, **kwargs)
        self.batch = batch

    def validate(self, values):
        refuse_unknown(self)
        self.print_request = PrintRequest.of(self.batch)
        if any(values.values()):
            try:
                numbers = choose(self.batch, values.get("tickets", ""), values.get("only"))
            except DjangoValidationError as error:
                raise as_answer(error) from error
            self.print_request = self._request(numbers, values.get("sheet"))
        return values

    def _request(self, numbers, sheet):
        try:
            return PrintRequest.of(self.batch, numbers, sheet)
        except DjangoValidationError as error:
            raise serializers.ValidationError({"sheet": error.message_dict}) from error
        except JobFailed as error:
            raise serializers.ValidationError({"sheet": [str(error)]}) from error


class TicketsSerializer(serializers.Serializer):
    """
    Some tickets of a batch, and what is to be done with them. What is not known is refused: a misspelled ``dry_run``
    must not change anything. When valid, ``kind`` is the kind of job that was asked for, ``selection`` says which
    tickets, and ``request_values`` all else.
    """

    SELECTORS = ("tickets", "orders", "secrets", "all", "all_but")

    tickets = Text(required=False)
    orders = Codes(child=Text(), required=False, allow_empty=False)
    secrets = Codes(child=Text(), required=False, allow_empty=False)
    all = Truth(required=False)
    all_but = Text(required=False, allow_blank=True)
    seller = PrimaryKeyField(queryset=Seller.objects.none(), required=False)
    dry_run = Truth(default=False)

    def __init__(self, *args: Any, batch: OfflineSalesBatch, kinds: Sequence[AfterSale], **kwargs: Any):
        """:param kinds: with the address that was called; if they are several, ``of`` says which one is meant"""
        super().__init__(*args, **kwargs)
        self._batch = batch
        self._kinds = {kind.api_of: kind for kind in kinds}
        # Whoever may read orders may know who holds them, and nothing of others.
        self.fields["seller"].queryset = holders(batch.tickets.all())  # type: ignore[attr-defined]  # this field has one
        if len(kinds) > 1:
            self.fields["of"] = serializers.ChoiceField(choices=list(self._kinds), default=kinds[0].api_of)
        for name, option in kinds[0].options.items():
            default = getattr(kinds[0].Request, name)
            self.fields[name] = serializers.ChoiceField(choices=option.choices, default=default)

    def validate_tickets(self, value):
        try:
            return Selection.numbered(value, self._batch).wanted
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def validate_all_but(self, value):
        return self.validate_tickets(value) if value else ""

    def validate_all(self, value):
        if not value:
            raise serializers.ValidationError(_("This can only be true."))
        return value

    def validate(self, values):
        refuse_unknown(self)
        selectors = [name for name in self.SELECTORS if name in values]
        if len(selectors) != 1:
            message = _("Say which tickets, in exactly one of these fields: tickets, orders, secrets, all, all_but.")
            raise serializers.ValidationError(dict.fromkeys(selectors or self.SELECTORS, [message]))
        self.request_values = dict(values)
        self.kind = self._kinds[self.request_values.pop("of", None)]
        [by] = selectors
        wanted, seller = self.request_values.pop(by), self.request_values.pop("seller", None)
        if by == "all_but" or (by == "all" and seller):
            self.selection = self._all_but(wanted if by == "all_but" else "", seller)
        else:
            self.selection = Selection.from_json({by: wanted})
        if seller:
            self.request_values["sellers"] = [seller.pk]
        return values

    def _all_but(self, numbers, seller):
        try:
            exceptions = Selection(By.NUMBERS, numbers)
            return all_but(self._batch.event, self._batch, exceptions, self.kind.candidates, seller)
        except ValueError as error:
            raise serializers.ValidationError({"all_but": [str(error)]}) from error
