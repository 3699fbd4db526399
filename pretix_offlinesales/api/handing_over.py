"""Tickets go from hand to hand in the REST API."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework import serializers, status, viewsets
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response

from ..models import MAX_AMOUNT, Seller
from ..printing.sheets import MAX_UNKNOWN
from ..sellers.handing_over import NotHandedOver, Plan, check_seller, hand_over, look
from ..tickets.lines import as_lines, read_lines, read_name, too_many
from ..tickets.numbers import format_numbers
from ..tickets.reasons import TEXTS
from ..tickets.selection import By, Choice, Selection, choose
from .documents import DocumentSerializer
from .lists import sellers_of
from .permissions import HandingOverPermission, may_change_sellers
from .serializers import PrimaryKeyField, Text, Truth, refuse_unknown
from .views import requested_by, shown_batches

KEY = re.compile("[0-9]{1,18}")


class HolderField(PrimaryKeyField):
    """A seller, or null. (The framework takes what is empty for null, too, which would be the stock.)"""

    def run_validation(self, data=serializers.empty):
        if data == "":
            self.fail("incorrect_type", data_type="str")
        return super().run_validation(data)


class TicketsOfBatches(serializers.Field):
    """``{"3": "1-50, 60"}``: numbers by the key of their batch. As its value, lines that name both."""

    def to_internal_value(self, data):
        if not isinstance(data, dict):
            raise ValidationError(
                _("Please name the tickets of each batch, such as {example}.").format(example='{"3": "1-50, 60"}')
            )
        if not data:
            raise ValidationError(_("Please say which tickets are handed over."))
        try:
            if len(data) > MAX_AMOUNT:
                raise too_many()
            return self._read(data)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def _read(self, data):
        event, texts = self.context["request"].event, []
        errors: dict[str, Any] = {}
        keys = [int(key) for key in data if KEY.fullmatch(key)]
        known = set(shown_batches(event).filter(pk__in=keys).values_list("pk", flat=True))
        for key, text in data.items():
            if not KEY.fullmatch(key) or int(key) not in known:
                errors[key] = [_("There is no such batch in this event.")]
                continue
            try:
                texts += self._entries(int(key), Text().run_validation(text), event)
            except ValidationError as error:
                errors[key] = error.detail
        if errors:
            raise ValidationError(dict(islice(errors.items(), MAX_UNKNOWN)))
        return tuple(read_lines(texts, event, None))

    def _entries(self, batch, text, event):
        entries = as_lines(f"#{batch}: {text}")
        for line in read_lines(entries, event, None):
            if line.batch != batch or not line.numbers:
                value = line.text.removeprefix(f"#{batch}: ")
                raise ValidationError([_("“{value}” is not a range of ticket numbers.").format(value=value[:50])])
        return entries


class HandingOverSerializer(serializers.Serializer):
    """Which tickets go to whom; null is the stock."""

    seller = HolderField(queryset=Seller.objects.none(), allow_null=True)
    tickets = TicketsOfBatches()
    comment = Text(default="", allow_blank=True)
    dry_run = Truth(default=False)
    #: The seller gets more than her credit limit, as whoever may change sellers confirms by this.
    over_limit = Truth(default=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["seller"].queryset = sellers_of(self.context["request"])

    def validate(self, values):
        refuse_unknown(self)
        return values


class HandingOverViewSet(viewsets.GenericViewSet):
    http_method_names = ("options", "post")
    permission = write_permission = "event.orders:write"
    permission_classes = (HandingOverPermission,)
    serializer_class = HandingOverSerializer

    @transaction.atomic
    def create(self, request, **kwargs):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        if asked["over_limit"] and not may_change_sellers(request):
            raise PermissionDenied
        choices = choose(request.event, None, Selection(By.LINES, asked["tickets"]))
        try:
            if asked["dry_run"]:
                plan = look(request.event, asked["seller"], choices)
                return Response(self._would_be(plan, asked["over_limit"]))
            document = hand_over(
                request.event,
                asked["seller"],
                choices,
                requested_by(request),
                asked["comment"],
                over_limit=asked["over_limit"],
            )
        except NotHandedOver as error:
            return Response(_told(error), status=status.HTTP_400_BAD_REQUEST)
        return Response(DocumentSerializer(document).data, status=status.HTTP_201_CREATED)

    def _would_be(self, plan: Plan, over_limit: bool) -> dict:
        """:raises NotHandedOver: if the seller can't get them"""
        if plan.target:
            check_seller(plan.target, plan.event, plan.total, over_limit=over_limit)
        numbers: dict[int, list[int]] = defaultdict(list)
        for ticket in plan.tickets:
            numbers[ticket.batch].append(ticket.number)
        return {
            "kind": plan.kind,
            "from": plan.source and plan.source.pk,
            "to": plan.target and plan.target.pk,
            "count": plan.total.count,
            "value": str(plan.total.value),
            "tickets": {str(batch): format_numbers(sorted(of_batch)) for batch, of_batch in sorted(numbers.items())},
            "refused": _refused(plan.refused),
        }


def _told(error: NotHandedOver) -> dict:
    """What is wrong, by field; of tickets, by batch."""
    if not error.refused:
        return {error.field: [str(error)]}
    refused, messages = _refused(error.refused), defaultdict(list)
    for each in refused:
        messages[str(each["batch"])].append(f"{each['tickets']}: {TEXTS[each['reason']]}")
    return {error.field: messages, "refused": refused}


def _refused(refused: Sequence[tuple[Choice, str]]) -> list[dict]:
    """Which numbers of which batch, and why."""
    numbers: dict[tuple[int, str], list[int]] = defaultdict(list)
    for choice, reason in refused:
        batch, number = choice.place or _named(choice)
        numbers[batch, reason].append(number)
    return [
        {"batch": batch, "tickets": format_numbers(sorted(of_reason)), "reason": reason}
        for (batch, reason), of_reason in sorted(numbers.items())
    ]


def _named(choice: Choice) -> tuple[int, int]:
    """What there is not has only its name."""
    batch, numbers = read_name(choice.value)  # type: ignore[misc]  # all that was read names both
    return batch, numbers[0]
