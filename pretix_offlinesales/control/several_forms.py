"""What can be filled in where several batches are issued at once: of each product so many, for each of some sellers."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy
from pretix.base.forms.widgets import SplitDateTimePickerWidget
from pretix.base.models import Event

from ..issuing.product import is_seated, valid_from_purchase
from ..issuing.request import IssueRequest
from ..issuing.several import MAX_SEVERAL, SeveralRequest
from ..issuing.together import Problem, Together, check_together
from ..models import MAX_AMOUNT, OfflineSalesBatch, Seller
from .forms import SHOWN_AT, IssueForm, Numbering, active_sellers, date_picker, label_of, products_to_issue

#: How many products can be named.
MAX_LINES = 100


class LineForm(forms.Form):
    """So many tickets of a product."""

    itemvar = forms.ChoiceField(label=_("Product"))
    subevent = forms.ModelChoiceField(label=pgettext_lazy("subevent", "Date"), queryset=None, empty_label="")
    amount = forms.IntegerField(label=_("Number of tickets"), min_value=1, max_value=MAX_AMOUNT)

    def __init__(self, *args, event: Event, products: Sequence[tuple[str, str]], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["itemvar"].choices = [("", ""), *products]
        if event.has_subevents:
            self.fields["subevent"].queryset = event.subevents.all()
            self.fields["subevent"].widget = date_picker(event)
            self.fields["subevent"].widget.choices = self.fields["subevent"].choices
        else:
            del self.fields["subevent"]

    @property
    def keys(self) -> tuple[int, int | None]:
        """Of the product and its variation."""
        item, _dash, variation = self.cleaned_data["itemvar"].partition("-")
        return int(item), int(variation) if variation else None


class LineFormSet(
    forms.formset_factory(
        LineForm, extra=0, min_num=1, max_num=MAX_LINES, validate_min=True, validate_max=True, can_delete=True
    )
):
    """Lines that were removed, or left empty, are none."""

    default_error_messages = {
        "too_few_forms": _("Please name at least one product."),
        "too_many_forms": _("These are too many lines."),
    }

    @property
    def lines(self) -> list[LineForm]:
        return [form for form in self.forms if form not in self.deleted_forms and form.cleaned_data.get("itemvar")]


class SellersChoice(forms.ModelMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple(attrs={"class": "scrolling-multiple-choice"})

    def label_from_instance(self, seller):
        return label_of(seller)


class SeveralForm(IssueForm):
    """
    The request for several batches: each line of ``lines``, for each of the sellers. When valid, ``together`` is what
    was found, ``request`` what a job remembers, and ``job_id`` and ``job`` are as in ``BatchForm``.
    """

    sellers = SellersChoice(
        label=_("Sellers"),
        queryset=None,
        required=False,
        help_text=_(
            "Each of them gets so many tickets of each product as soon as they are made, with a delivery note for each "
            "batch. If you choose nobody, the tickets stay in stock."
        ),
    )
    numbering = forms.ChoiceField(
        label=_("Ticket numbers"),
        choices=[choice for choice in Numbering.choices if choice[0] != Numbering.FROM],
        widget=forms.RadioSelect,
    )
    valid_from = forms.SplitDateTimeField(
        label=_("Valid from"),
        required=False,
        widget=SplitDateTimePickerWidget(),
        help_text=_("For products that are otherwise valid from the moment when they are bought."),
    )

    def __init__(self, *args, event: Event, has_sellers: bool, initial: dict | None = None, **kwargs):
        self.together: Together | None = None
        super().__init__(*args, event=event, initial=initial, **kwargs)
        self._from_purchase = {item.pk for item in valid_from_purchase(event)}
        if not self._from_purchase:
            del self.fields["valid_from"]
        if has_sellers and active_sellers(event).exists():
            self.fields["sellers"].queryset = active_sellers(event)
        else:
            del self.fields["sellers"]
        self.lines = LineFormSet(
            self.data if self.is_bound else None,
            prefix="lines",
            initial=(initial or {}).get("lines"),
            form_kwargs={"event": event, "products": products_to_issue(event)},
        )

    def is_valid(self):
        return super().is_valid() and self.lines.is_valid() and self._is_possible

    @cached_property
    def _is_possible(self) -> bool:
        """Asked once both are valid by themselves."""
        requests = list(self._requests())
        if len(requests) > MAX_SEVERAL:
            message = gettext("These would be {amount} batches. At most {max} can be issued at once.")
            self.add_error(None, message.format(amount=len(requests), max=MAX_SEVERAL))
            return False
        self.request = SeveralRequest([request.data for request in requests])
        self._look_for_job(self.cleaned_data["token"])
        if self.job:
            return True  # or the first one has what the second one asks for
        self.together = check_together(self.event, requests)
        for problem in self.together.problems:
            self._show(problem)
        return not self.together.problems

    @property
    def _is_over_limit(self):
        return bool(self.together and any(allotment.is_too_much for allotment in self.together.allotments))

    @property
    def chosen_sellers(self) -> list[Seller | None]:
        """None is the stock."""
        return list(self.cleaned_data.get("sellers") or []) or [None]

    def _requests(self) -> Iterator[IssueRequest]:
        """Those for one seller after the other."""
        values = self.cleaned_data
        lines = [(line, self._batch(line)) for line in self.lines.lines]
        seated = {id(batch): is_seated(batch) for _line, batch in lines} if self._has_seats else {}
        for seller in self.chosen_sellers:
            for _line, batch in lines:
                yield IssueRequest.of(
                    batch,
                    numbers_go_on=values["numbering"] == Numbering.GOING_ON,
                    next_seats=seated.get(id(batch), False),
                    seller=seller,
                    over_limit=values.get("over_limit", False),
                )

    @property
    def _has_seats(self) -> bool:
        return self.event.seat_category_mappings.exists()

    def _batch(self, line: LineForm) -> OfflineSalesBatch:
        item, variation = line.keys
        values = self.cleaned_data
        return OfflineSalesBatch(
            event=self.event,
            item_id=item,
            variation_id=variation,
            subevent=line.cleaned_data.get("subevent"),
            amount=line.cleaned_data["amount"],
            valid_from=values.get("valid_from") if item in self._from_purchase else None,
            **{
                name: values[name]
                for name in ("sales_channel", "layout", "book_size", "consignment", "testmode", "comment")
            },
        )

    def _show(self, problem: Problem) -> None:
        """At its field, of its line or of all. What is so for each seller is said once."""
        lines = self.lines.lines
        seller, line = divmod(problem.place, len(lines))
        name = {"seller": "sellers", "first_number": "numbering"}.get(problem.field, problem.field)
        name = SHOWN_AT.get(name, name)
        if name in lines[line].fields:
            form, message = lines[line], problem.message
        elif name in self.fields:
            about = (
                self.chosen_sellers[seller] if name == "sellers" else self.together.lines[problem.place].batch.product
            )
            form, message = self, f"{about}: {problem.message}"
        else:
            form, name, message = lines[line], "itemvar", problem.message
        if message not in form.errors.get(name, []):
            form.add_error(name, message)


def initial_from(requests: Sequence[IssueRequest]) -> dict:
    """To ask once more for what this form has asked for before."""
    first = requests[0]
    lines = [request for request in requests if request.seller_id == first.seller_id]
    return {
        "lines": [
            {
                "itemvar": f"{line.item_id}-{line.variation_id}" if line.variation_id else str(line.item_id),
                "subevent": line.subevent_id,
                "amount": line.amount,
            }
            for line in lines
        ],
        "sellers": list(dict.fromkeys(request.seller_id for request in requests if request.seller_id)),
        "valid_from": next((datetime.fromisoformat(line.valid_from) for line in lines if line.valid_from), None),
        "sales_channel": first.sales_channel_id,
        "layout": first.layout_id,
        "book_size": first.book_size,
        "consignment": first.consignment,
        "testmode": first.testmode,
        "comment": first.comment,
        "numbering": Numbering.GOING_ON if first.numbers_go_on else Numbering.AGAIN,
    }
