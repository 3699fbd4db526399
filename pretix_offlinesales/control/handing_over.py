"""The page on which tickets go from hand to hand: from stock to a seller, back, or from one seller to another."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.timezone import now
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.generic import FormView

from ..models import Document, DocumentKind, OfflineSalesBatch, Seller
from ..models.activation import is_active
from ..sellers.handing_over import WHEREVER, Moved, NotHandedOver, OverLimit, Plan, check_seller, hand_over, look
from ..sellers.next_ones import Pile, next_ones
from ..tickets.books import format_tickets
from ..tickets.numbers import DASH, format_numbers, ranges_of
from ..tickets.reasons import ALREADY_THERE, HELD_ELSEWHERE, TEXTS
from ..tickets.selection import Choice, Ticket, choose
from ..tickets.verdicts import MAX_LINES, Judge, Question, Reasons
from .choosing import joined
from .forms import is_number
from .handing_over_forms import STOCK, HandOverForm, NextForm, key_of
from .returning import MAX_SHOWN, name_of
from .sellers_shown import may_change_sellers, may_read_sellers
from .views import PageMixin

#: Who sends the same form again within this time has clicked twice.
REPEATED = timedelta(minutes=1)

#: How many lines a message has about what is in the way.
MAX_NAMED = 20

#: What is being done, as far as that is known.
TITLES = {
    None: gettext_lazy("Hand over tickets"),
    DocumentKind.DELIVERY: gettext_lazy("Deliver tickets"),
    DocumentKind.TAKE_BACK: gettext_lazy("Take tickets back"),
    DocumentKind.TRANSFER: gettext_lazy("Transfer tickets"),
}


@dataclass(frozen=True)
class LeftAlone:
    #: As it was given, or what the tickets are called.
    what: str
    why: str

    def __str__(self):
        return f"{self.what}: {self.why}"


class HandOver(PageMixin, FormView):
    """
    Say which tickets go to whom, see what would become of each, confirm. Whoever scans asks (``verdicts``) while
    scanning; what lies next on the pile is filled in (``fill``). What was seen is done, or nothing.
    """

    permission = "event.orders:write"
    template_name = "pretix_offlinesales/control/hand_over.html"
    form_class = HandOverForm

    def dispatch(self, request, *args, **kwargs):
        if is_active(request.event) and not may_read_sellers(request):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def batch(self) -> OfflineSalesBatch | None:
        """Whose numbers are meant where none is named, and where one came from."""
        if not (pk := self.request.POST.get("batch_key") or self.request.GET.get("batch")):
            return None
        batches = self.batches.select_related("item", "variation")
        batch = batches.filter(pk=pk).first() if is_number(pk) else None
        if not batch:
            raise Http404
        return batch

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"event": self.request.event, "batch": self.batch}

    def get_initial(self):
        """``?seller=…`` is who gets them; with ``&to=stock``, who gives them back."""
        asked = self.request.GET
        seller, to_stock = asked.get("seller", ""), asked.get("to") == STOCK
        return {
            "source": seller if to_stock else asked.get("from", ""),
            "target": STOCK if to_stock else seller,
            "lines": asked.get("tickets", ""),
            "batch_key": self.batch.pk if self.batch else "",
        }

    def get_context_data(self, **kwargs):
        context = {"next_form": NextForm(event=self.request.event), "title": TITLES[None], "batch": self.batch}
        context = super().get_context_data(**context | kwargs)
        return context | {"has_sellers": len(context["form"].fields["target"].choices) > 2}

    def post(self, request, *args, **kwargs):
        if "verdicts" in request.POST:
            return self._verdicts()
        return self._fill() if "fill" in request.POST else super().post(request, *args, **kwargs)

    def form_valid(self, form):
        values = form.cleaned_data
        choices = choose(self.request.event, None, form.selection)
        if "confirmed" in self.request.POST:
            try:
                document = hand_over(
                    self.request.event,
                    values["target"],
                    choices,
                    {"user": self.request.user},
                    values["comment"],
                    values["source"],
                    over_limit=self._over_limit,
                )
            except NotHandedOver as error:
                if not (document := self._done_before(values["source"], values["target"], choices)):
                    return self._show(form, choices, error)
            return self._done(document)
        return self._show(form, choices)

    # Looking

    def _show(self, form, choices: Sequence[Choice], error: NotHandedOver | None = None):
        plan = self._plan(form.cleaned_data["target"], choices, form.cleaned_data["source"])
        left, problem = left_alone(plan), self._problem(plan)
        # Who may change sellers may also give one more than her limit.
        to_confirm = isinstance(problem, OverLimit) and may_change_sellers(self.request)
        form = self._with_lines(form)
        if error:
            form.add_error(AT[error.field], _("Nothing was handed over: {why}").format(why=_changed(left) or error))
        elif problem and not to_confirm:
            form.add_error(AT[problem.field], str(problem))
        count = plan.total.count
        checked = {
            "plan": plan,
            "possible": count and (to_confirm or not problem),
            "over_limit": str(problem) if to_confirm else "",
            "source": key_of(plan.source),
            "target": key_of(plan.target),
            "exact": exactly(plan),
            "lines": lines_of(plan),
            "total": plan.total,
            "left": left[:MAX_SHOWN],
            "more_left": len(left[MAX_SHOWN:]),
            "document": plan.kind.label,
            "question": ngettext("%(amount)d ticket", "%(amount)d tickets", count) % {"amount": count},
            "button": button_of(plan),
        }
        return self.render_to_response(self.get_context_data(form=form, checked=checked, title=TITLES[plan.kind]))

    def _plan(self, target: Seller | None, choices: Sequence[Choice], source: object) -> Plan:
        """All from the named place, or from where most of them are."""
        plan = look(self.request.event, target, choices, source)
        if source is WHEREVER:
            elsewhere = Counter(
                plan.places[choice.ticket.order_id] for choice, reason in plan.refused if reason == HELD_ELSEWHERE
            )
            if elsewhere and (most := elsewhere.most_common(1)[0])[1] > len(plan.tickets):
                plan = look(self.request.event, target, choices, most[0])
        for batch in plan.batches.values():
            if batch.subevent:
                batch.subevent.event = self.request.event
        return plan

    @property
    def _over_limit(self) -> bool:
        """Whether somebody who may has confirmed that the seller gets more than her credit limit."""
        return "over_limit" in self.request.POST and may_change_sellers(self.request)

    def _problem(self, plan: Plan) -> NotHandedOver | None:
        """Why nothing of it can be done."""
        if not (plan.target and plan.tickets):
            return None
        try:
            check_seller(plan.target, self.request.event, plan.total)
        except NotHandedOver as error:
            return error
        return None

    def _with_lines(self, form) -> HandOverForm:
        """The same, with what was in the file among the lines, since browsers don't keep files."""
        data = self.request.POST.copy()
        data["lines"] = form.cleaned_data["lines"]
        form = self.form_class(**self.get_form_kwargs() | {"data": data, "files": None})
        form.is_valid()
        return form

    # Doing

    def _done_before(self, source: object, target: Seller | None, choices: Sequence[Choice]) -> Document | None:
        """By the first of two clicks."""
        if source is WHEREVER or not all(choice.ticket for choice in choices):
            return None
        latest = Document.objects.filter(
            organizer=self.request.organizer,
            event=self.request.event,
            user=self.request.user,
            source=source,
            target=target,
            created__gt=now() - REPEATED,
        )
        document = latest.order_by("-pk").first()
        numbers = {batch: ranges_of(sorted(found)) for batch, found in by_batch(choices).items()}
        if document and {each.batch_id: each.numbers for each in document.movements.all()} == numbers:
            return document
        return None

    def _done(self, document: Document):
        messages.success(self.request, _("The tickets have been handed over: {document}").format(document=document))
        place = {"organizer": self.request.organizer.slug, "document": document.pk}
        return redirect(reverse("plugins:pretix_offlinesales:document", kwargs=place))

    # On the way

    def _fill(self):
        """What comes next on the pile is added to what is listed."""
        form = self.get_form()
        form.is_valid()
        next_form = NextForm(self.request.POST, event=self.request.event)
        values = {name: self.request.POST.get(name, "") for name in form.fields}
        listed = joined(form.cleaned_data.get("lines", values["lines"]), form.cleaned_data.get("file"))
        piles = self._piles(form, next_form)
        values["lines"] = joined(listed, *(line for pile in piles for line in named(pile) if line not in listed))
        again = self.form_class(initial=values, event=self.request.event, batch=self.batch)
        each = next_form.cleaned_data.get("each")
        filled = [{"batch": pile.batch, "count": pile.count, "missing": (each or 0) - pile.count} for pile in piles]
        problems = form.errors.get("file", [])
        return self.render_to_response(
            self.get_context_data(form=again, next_form=next_form, filled=filled, problems=problems)
        )

    def _piles(self, form: HandOverForm, next_form: NextForm) -> list[Pile]:
        if not next_form.is_valid():
            return []
        source = form.cleaned_data.get("source", WHEREVER)
        values = next_form.cleaned_data
        try:
            return next_ones(
                self.request.event,
                None if source is WHEREVER else source,
                values["each"],
                next_form.chosen,
                values.get("subevent"),
            )
        except ValueError as error:
            next_form.add_error("each", str(error))
            return []

    def _verdicts(self) -> JsonResponse:
        """For each of some lines whether it can be handed over, as ``AfterSalePage`` answers."""
        event, form = self.request.event, self.get_form()
        form.is_valid()
        source, target = (form.cleaned_data.get(name, WHEREVER) for name in ("source", "target"))
        try:
            question = Question.read(self.request.POST.get("lines", "").split("\n", MAX_LINES), event, self.batch)
        except ValueError as error:
            return JsonResponse({"error": str(error)}, status=400)
        choices = choose(event, None, question.selection)
        plan = look(event, None if target is WHEREVER else target, choices, source)
        # What is not said yet stands in nobody's way.
        fine = {HELD_ELSEWHERE} if source is WHEREVER else set()
        fine |= {ALREADY_THERE} if target is WHEREVER else set()
        refused = {id(choice): reason for choice, reason in plan.refused if reason not in fine}
        examined = [(choice, refused.get(id(choice), "")) for choice in choices]
        verdicts = [verdict.data for verdict in question.answer(examined, HandOverJudge.of(plan, examined))]
        pks = {batch for verdict in verdicts for batch in verdict["tickets"].values()}
        batches = self.batches.filter(pk__in=pks).select_related("item", "variation").order_by("pk")
        return JsonResponse({"verdicts": verdicts, "batches": {batch.pk: name_of(batch) for batch in batches}})


def button_of(plan: Plan) -> str:
    count = plan.total.count
    if plan.kind == DocumentKind.TAKE_BACK:
        words = ngettext("Take back %(amount)d ticket", "Take back %(amount)d tickets", count)
    else:
        words = ngettext("Hand over %(amount)d ticket", "Hand over %(amount)d tickets", count)
    return words % {"amount": count}


#: Where it is shown what is wrong.
AT = {"seller": "target", "tickets": None}


def lines_of(plan: Plan) -> list[tuple[Moved, str]]:
    """Of a preview, each with its numbers as people read them."""
    return [(each, format_tickets(each.batch, each.numbers, DASH)) for each in plan.moved()]


def exactly(plan: Plan) -> str:
    """These tickets and no others, as lines."""
    numbers = defaultdict(list)
    for ticket in plan.tickets:
        numbers[ticket.batch].append(ticket.number)
    return "\n".join(f"#{batch}: {format_numbers(sorted(found))}" for batch, found in sorted(numbers.items()))


def named(pile: Pile) -> Iterator[str]:
    """What lies on it, a line for each batch."""
    return (f"{batch}: {format_tickets(batch, numbers)}" for batch, numbers in pile.numbers.items())


def by_batch(choices: Sequence[Choice]) -> dict[int, list[int]]:
    numbers = defaultdict(list)
    for choice in choices:
        if choice.ticket:
            numbers[choice.ticket.batch_id].append(choice.ticket.number)
    return numbers


def left_alone(plan: Plan) -> list[LeftAlone]:
    """What is known, as ranges; then what is not, as it was given."""
    known: dict[tuple[int, str], list[int]] = defaultdict(list)
    unknown = []
    for choice, reason in plan.refused:
        if choice.ticket:
            known[choice.ticket.batch_id, why(plan, choice, reason)].append(choice.ticket.number)
        else:
            unknown.append(LeftAlone(choice.value, str(TEXTS[reason])))
    groups = sorted(known.items(), key=lambda group: (group[0][0], min(group[1])))
    return [LeftAlone(_called(plan, batch, numbers), text) for (batch, text), numbers in groups] + unknown


def _called(plan: Plan, key: int, numbers: list[int]) -> str:
    """``#3: 1–50``; whose code was revoked has not been looked at, so its batch may be unknown."""
    batch, numbers = plan.batches.get(key), sorted(set(numbers))
    return f"#{key}: {format_tickets(batch, numbers, DASH) if batch else format_numbers(numbers, DASH)}"


def _changed(left: Sequence[LeftAlone]) -> str:
    """What is in the way of tickets that one could hand over a moment ago."""
    return "; ".join(map(str, left[:MAX_NAMED])) + ("; …" if left[MAX_NAMED:] else "")


def why(plan: Plan, choice: Choice, reason: str) -> str:
    """``somewhere else (Kiosk)``"""
    text = str(TEXTS[reason])
    if not choice.ticket or choice.ticket.order_id not in plan.places:
        return text
    holder = plan.places[choice.ticket.order_id]
    if holder or reason in (HELD_ELSEWHERE, ALREADY_THERE):
        return f"{text} ({holder or _('Stock')})"
    return text


class Whereabouts(Reasons):
    """Why tickets are left alone, and who holds them."""

    def __init__(self, plan: Plan):
        self.elsewhere = {}
        self.texts = {(choice.value, reason): why(plan, choice, reason) for choice, reason in plan.refused}

    def text(self, value, reason):
        return self.texts[value, reason]


@dataclass(frozen=True)
class HandOverJudge(Judge):
    #: Who holds the tickets, by the codes of their orders; not those in stock.
    holders: Mapping[str, Seller] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, examined) -> "HandOverJudge":
        holders = {}
        for choice, reason in examined:
            if choice.ticket and not reason:
                holder = plan.places.get(choice.ticket.order_id, plan.source)
                if holder:
                    holders[choice.ticket.code] = holder
        return cls(_("can be handed over"), Whereabouts(plan), (), holders)

    def _of_good(self, tickets: list[Ticket]) -> Iterator[str]:
        """With whom they are."""
        yield from super()._of_good(tickets)
        yield from dict.fromkeys(str(self.holders[each.code]) for each in tickets if each.code in self.holders)
