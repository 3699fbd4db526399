"""Who may see and do what in the backend: a column for each page and a row for each person."""

import uuid

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils.timezone import now
from pretix.base.models import Organizer, User

from pretix_offlinesales.after_sale.kind import all_offered
from pretix_offlinesales.kinds import ISSUE_SEVERAL, PRINT_FOR_SELLERS, REPLACE, RETURN
from pretix_offlinesales.models import Job, JobStep, OfflineSalesBatch, Seller, SheetPreset
from tests.support.sellers import make_seller

#: The columns: name of the page → (method, what success looks like).
PAGES = {
    "list": ("get", 200),
    "batch": ("get", 200),
    "csv": ("get", 200),
    "download": ("get", 200),
    "add": ("get", 200),
    "preview": ("get", 200),
    "create": ("post", 302),
    "specimen": ("post", 200),
    "comment": ("post", 302),
    "print": ("post", 302),
    "dismiss": ("post", 302),
    "cancel": ("post", 302),
    "channel": ("post", 302),
    "hand_over": ("get", 200),
    "several_notes": ("get", 200),
    "note": ("get", 200),
    "settle": ("get", 200),
    "sums": ("get", 200),
    "result": ("get", 200),
    "result_csv": ("get", 200),
    "sellers_file": ("get", 200),
    "several_result": ("get", 200),
    "several": ("get", 200),
    "look_at_several": ("post", 200),
    "issue_several": ("post", 302),
    "data": ("get", 200),
    "make_data": ("post", 302),
    "options": ("get", 200),
    "print_chosen": ("post", 302),
    "print_preview": ("get", 200),
    "first_sheet": ("post", 200),
    "calibration": ("post", 200),
    "preset_save": ("post", 302),
    "preset": ("get", 200),
    "preset_delete": ("post", 302),
    **{kind.identifier: ("get", 200) for kind in all_offered()},
    **{f"batch_{kind.identifier}": ("get", 200) for kind in all_offered()},
    "lose": ("post", 302),
    "find": ("post", 302),
    "give_back": ("post", 302),
    "verdicts": ("post", 200),
    "result_print": ("post", 302),
    "print_for_sellers": ("get", 200),
    "print_held": ("post", 302),
}

#: Where a page has another name than its url.
URL_NAMES = {
    "create": "add",
    "note": "delivery",
    "settle": "statement",
    "sums": "statement.csv",
    "make_data": "data",
    "options": "print_options",
    "print_chosen": "print_options",
    "preset": "preset_delete",
    "give_back": "batch_return",
    "lose": "batch_lost",
    "find": "undo_lost",
    "verdicts": "return",
    "sellers_file": "print_for_sellers_download",
    "print_held": "print_for_sellers",
    "look_at_several": "several",
    "issue_several": "several",
}

#: The pages about tickets that exist, where something can be changed or codes be seen: one column for all of them.
LATER = list(PAGES)[22:]

#: The papers share one, too, with what has become of returned or replaced tickets.
PAPERS = list(PAGES)[15:22]

#: Only for whoever may also read sellers, which is not the event's to say.
OF_SELLERS = list(PAGES)[13:15]

#: In order of the columns: yes where the answer is success, else the status code; login where one is asked to log in.
MATRIX = """
                         list  batch csv   downl add   previ creat proof comme print dismi cance chann hand  paper later
nobody                   login login login login login login login login login login login login login login login login
a user without a team    404   404   404   404   404   404   404   404   404   404   404   404   404   404   404   404
member who reads orders  yes   yes   yes   yes   403   403   403   403   403   403   403   403   403   403   yes   403
member who writes orders 403   403   403   403   403   403   403   403   403   403   403   403   403   403   403   403
member reading + writing yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   403   403   yes   yes
member who checks in     403   403   403   403   403   403   403   403   403   403   403   403   403   403   403   403
member for all           yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   403   403   yes   yes
member of another event  404   404   404   404   404   404   404   404   404   404   404   404   404   404   404   404
other organizer's member 404   404   404   404   404   404   404   404   404   404   404   404   404   404   404   404
everybody, plugin off    404   404   404   404   404   404   404   404   404   404   404   404   404   404   404   404
"""


#: Pages about things that may not exist.
OF_EVENT = (
    *("list", "add", "channel", "preview", "create", "specimen", "hand_over"),
    *("several", "look_at_several", "issue_several"),
    *(kind.identifier for kind in all_offered()),
    *("find", "verdicts", "print_for_sellers", "print_held"),
)
THINGS = [name for name in PAGES if name not in OF_EVENT]


def table():
    for line in MATRIX.strip("\n").splitlines()[1:]:
        who, cells = line[:25].strip(), line[25:].split()
        *cells, hand, paper, later = cells
        cells += [hand] * len(OF_SELLERS) + [paper] * len(PAPERS) + [later] * len(LATER)
        yield pytest.param(who, dict(zip(PAGES, cells, strict=True)), id=who)


def test_the_table_has_a_column_for_each_page():
    of_event = "event/<str:organizer>/<str:event>/offlinesales/'"
    [ours] = [pattern for pattern in _patterns(get_resolver()) if pattern.pattern.describe().endswith(of_event)]
    assert {URL_NAMES.get(name, name) for name in PAGES} == {page.name for page in ours.url_patterns}


def _patterns(resolver):
    for pattern in getattr(resolver, "url_patterns", ()):
        yield pattern
        yield from _patterns(pattern)


@pytest.mark.parametrize(("who", "expected"), list(table()))
def test_who_may_do_what(who, expected, event, series, addresses, filled_in):
    client = PEOPLE[who](event, series)
    answers = {
        name: getattr(client, method)(addresses[name], body(name, filled_in) if method == "post" else {})
        for name, (method, _success) in PAGES.items()
    }
    assert {name: judged(name, answer) for name, answer in answers.items()} == expected


@pytest.mark.parametrize(("who", "expected"), list(table()))
def test_who_may_not_do_it_leaves_no_trace(who, expected, event, series, addresses, filled_in):
    client = PEOPLE[who](event, series)
    before = traces()
    for name, (method, _success) in PAGES.items():
        if method == "post" and expected[name] != "yes":
            client.post(addresses[name], body(name, filled_in) | {"comment": "Changed"})
    assert traces() == before


@pytest.mark.parametrize("name", [name for name, (method, _success) in PAGES.items() if method == "post"])
def test_a_form_of_another_site_is_refused(name, user, team, addresses, filled_in):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    before = traces()
    assert client.post(addresses[name], body(name, filled_in)).status_code == 403
    assert traces() == before


@pytest.mark.parametrize("name", THINGS)
def test_things_of_another_event_are_not_found(name, anna, series, series_item, addresses, filled_in):
    elsewhere = addresses[name].replace("/night/", f"/{series.slug}/")
    method = PAGES[name][0]
    assert getattr(anna, method)(elsewhere, body(name, filled_in) if method == "post" else {}).status_code == 404


@pytest.mark.parametrize("name", THINGS)
def test_unknown_things_are_not_found(name, anna, batch, addresses, filled_in):
    method, _success = PAGES[name]
    for unknown in unknown_addresses(addresses[name], batch):
        assert unknown != addresses[name]
        assert getattr(anna, method)(unknown, body(name, filled_in) if method == "post" else {}).status_code == 404


def unknown_addresses(address, batch):
    """Of an unknown batch, and of an unknown job of a known batch, as far as the address names them."""
    if f"/offlinesales/{batch.pk}/" in address:
        yield address.replace(f"/offlinesales/{batch.pk}/", "/offlinesales/99999999999999999999/")
    if any(map(is_job, address.split("/"))):
        yield "/".join(str(uuid.uuid4()) if is_job(part) else part for part in address.split("/"))


def is_job(part):
    return len(part) == len(str(uuid.UUID(int=0)))


def body(name, filled_in):
    """What is posted there."""
    bodies = {
        "give_back": {"everything": "on", "kind": "unsold", "confirmed": "on"},
        "lose": {"everything": "on", "confirmed": "on"},
        "find": {"lines": "x", "confirmed": "on"},
        "verdicts": {"verdicts": "on", "lines": "x"},
        "print_held": {"sellers": list(Seller.objects.values_list("pk", flat=True))},
        "issue_several": filled_in | {"confirmed": "on"},
    }
    return bodies.get(name, filled_in)


def judged(name, answer):
    if answer.status_code == 302 and "login" in answer["Location"]:
        return "login"
    return "yes" if answer.status_code == PAGES[name][1] else str(answer.status_code)


def traces():
    return (
        list(OfflineSalesBatch.objects.values_list("pk", "comment")),
        sorted(Job.objects.values_list("pk", "state", "dismissed")),
    )


@pytest.fixture
def batch(event, item, web):
    batch = OfflineSalesBatch.objects.create(event=event, item=item, sales_channel=web, amount=3, completed=now())
    order = event.orders.create(total=23, status="p", datetime=now(), expires=now(), sales_channel=web, locale="en")
    order.all_positions.create(organizer=event.organizer, item=item, price=23)
    seller = make_seller(event.organizer)
    batch.tickets.create(order=order, number=1, seller=seller)
    return batch


@pytest.fixture
def filled_in(filled_in):
    """What all forms together want."""
    lines = {"lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "numbering": "on"}
    lines |= {f"lines-0-{name}": filled_in[name] for name in ("itemvar", "amount")}
    return filled_in | lines | {"format": "csv", "pages": "sheets", "name": "Kiosk"}


@pytest.fixture
def addresses(pages, batch, make_job, store_print):
    """The address of each page, with things to do there."""
    preset = SheetPreset.objects.create(event=batch.event, name="Labels", sheet={"paper": "A4"})
    printed, waiting, failed = store_print(batch), make_job(), make_job(Job.State.FAILED)
    returned = make_job(Job.State.SUCCEEDED, kind=RETURN.identifier, batch=batch)
    replaced = make_job(Job.State.SUCCEEDED, kind=REPLACE.identifier, batch=batch)
    for_sellers = make_job(
        Job.State.SUCCEEDED, kind=PRINT_FOR_SELLERS.identifier, batch=batch, file=store_print(batch).file
    )
    several = make_job(
        Job.State.SUCCEEDED,
        kind=ISSUE_SEVERAL.identifier,
        request={"batches": [make_job(Job.State.SUCCEEDED).request]},
        result={"made": [[0, batch.pk]]},
    )
    JobStep.objects.create(job=replaced, done=[replaced_code(batch)])
    return {
        "list": pages,
        "batch": f"{pages}{batch.pk}/",
        "csv": f"{pages}{batch.pk}/tickets.csv",
        "download": f"{pages}{batch.pk}/download/{printed.pk}",
        "add": f"{pages}add",
        "preview": f"{pages}preview",
        "create": f"{pages}add",
        "specimen": f"{pages}specimen",
        "comment": f"{pages}{batch.pk}/comment",
        "print": f"{pages}{batch.pk}/print",
        "data": f"{pages}{batch.pk}/data",
        "make_data": f"{pages}{batch.pk}/data",
        "options": f"{pages}{batch.pk}/print/options",
        "print_chosen": f"{pages}{batch.pk}/print/options",
        "print_preview": f"{pages}{batch.pk}/print/preview",
        "first_sheet": f"{pages}{batch.pk}/print/sheet",
        "calibration": f"{pages}{batch.pk}/print/calibration",
        "preset_save": f"{pages}{batch.pk}/print/presets",
        "preset": f"{pages}{batch.pk}/print/presets/{preset.pk}/delete",
        "preset_delete": f"{pages}{batch.pk}/print/presets/{preset.pk}/delete",
        "dismiss": f"{pages}jobs/{failed.pk}/dismiss",
        "cancel": f"{pages}jobs/{waiting.pk}/cancel",
        "channel": f"{pages}channel",
        "hand_over": f"{pages}hand-over",
        "several": f"{pages}add/several",
        "look_at_several": f"{pages}add/several",
        "issue_several": f"{pages}add/several",
        "several_result": f"{pages}add/several/{several.pk}/",
        "several_notes": f"{pages}add/several/{several.pk}/notes.pdf",
        "note": f"{pages}{batch.pk}/delivery.pdf",
        "settle": f"{pages}{batch.pk}/statement.pdf",
        "sums": f"{pages}{batch.pk}/statement.csv",
        **{kind.identifier: f"{pages}{kind.path}" for kind in all_offered()},
        **{f"batch_{kind.identifier}": f"{pages}{batch.pk}/{kind.path}" for kind in all_offered()},
        "lose": f"{pages}{batch.pk}/lost",
        "find": f"{pages}undo/lost",
        "give_back": f"{pages}{batch.pk}/return",
        "verdicts": f"{pages}return",
        "print_for_sellers": f"{pages}print-for-sellers",
        "print_held": f"{pages}print-for-sellers",
        "sellers_file": f"{pages}print-for-sellers/{for_sellers.pk}",
        "result": f"{pages}results/{returned.pk}/",
        "result_csv": f"{pages}results/{returned.pk}/tickets.csv",
        "result_print": f"{pages}results/{replaced.pk}/print/{batch.pk}",
    }


def replaced_code(batch):
    """Of an order whose ticket was replaced."""
    order = batch.event.orders.create(
        status="p", datetime=now(), expires=now(), total=0, sales_channel=batch.sales_channel, locale="en", code="ABCDE"
    )
    batch.tickets.create(order=order, number=2)
    return order.code


def nobody(event, series):
    return Client()


def member(organizer, *permissions, events=None):
    """Of a team with these permissions, or all, for these events, or all."""
    person = User.objects.create_user("member@example.org", "a long enough passphrase")
    team = organizer.teams.create(
        name="Team",
        all_events=events is None,
        all_event_permissions=not permissions,
        limit_event_permissions=dict.fromkeys(permissions, True),
    )
    team.limit_events.set(events or [])
    team.members.add(person)
    client = Client()
    client.force_login(person)
    return client


def outsider(event, series):
    client = Client()
    client.force_login(User.objects.create_user("member@example.org", "a long enough passphrase"))
    return client


def with_plugin_off(event, series):
    event.plugins = "pretix.plugins.ticketoutputpdf"
    event.save()
    return member(event.organizer)


PEOPLE = {
    "nobody": nobody,
    "a user without a team": outsider,
    "member who reads orders": lambda event, series: member(event.organizer, "event.orders:read"),
    "member who writes orders": lambda event, series: member(event.organizer, "event.orders:write"),
    "member reading + writing": lambda event, series: member(
        event.organizer, "event.orders:read", "event.orders:write"
    ),
    "member who checks in": lambda event, series: member(event.organizer, "event.orders:checkin"),
    "member for all": lambda event, series: member(event.organizer),
    "member of another event": lambda event, series: member(event.organizer, events=[series]),
    "other organizer's member": lambda event, series: member(Organizer.objects.create(name="Circus", slug="circus")),
    "everybody, plugin off": with_plugin_off,
}
