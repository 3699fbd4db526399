"""Returning tickets, undoing that, and replacing some, in the backend."""

import csv
from datetime import timedelta
from io import BytesIO, StringIO

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from pretix_offlinesales.models import Job
from pretix_offlinesales.printing.choice import Only, choose
from pretix_offlinesales.printing.sheets import Sheet
from tests.support.jobs import skipped
from tests.support.pages import alerts, rows, soup, words


def codes(batch):
    return [ticket.order.code for ticket in batch.tickets.order_by("number")]


def states(batch):
    return "".join(ticket.order.status for ticket in batch.tickets.order_by("number"))


@pytest.fixture
def confirm(anna, worker):
    """``confirm(page, lines=…)``: check the tickets, confirm what the page has understood, and see the result."""

    def confirm(page, **values):
        form = soup(anna.post(page, values)).select_one("form[data-asynctask]")
        fields = {field["name"]: field.get("value", field.text) for field in form.select("[name]")}
        with worker():
            response = anna.post(page, fields)
        return anna.get(response["Location"], follow=True)

    return confirm


def panels(response):
    return [words(title) for title in soup(response).select(".panel-title")]


def test_from_the_batch_to_the_result_and_back_from_its_history(anna, pages, make, confirm):
    batch = make(amount=5)
    page = f"{pages}{batch.pk}/return"
    assert page in [link.get("href") for link in soup(anna.get(f"{pages}{batch.pk}/")).select("a")]
    checked = anna.post(page, {"lines": "1-2\n9", "kind": "damaged"})
    assert words(soup(checked).select_one(".panel-body p")) == (
        "2 tickets will be returned. Value: €46.00 · Reason: damaged"
    )
    assert rows(checked)[:2] == [[f"#{batch.pk}", "Ticket", "2", "€46.00"], ["9", "", "unknown"]]
    assert (states(batch), Job.objects.filter(kind="return").count()) == ("ppppp", 0)

    result = confirm(page, lines="1-2\n9", kind="damaged")
    assert panels(result) == ["Returned tickets: 2 · €46.00", "Left alone"]
    assert rows(result)[0] == [f"#{batch.pk}", "Ticket", "2", "€46.00"]
    back = soup(result).select_one("#page-wrapper a.btn")
    assert (back["href"], words(back)) == (f"{pages}{batch.pk}/", f"Offline sales batch #{batch.pk}")
    assert states(batch) == "ccppp"
    shown = anna.get(f"{pages}{batch.pk}/")
    [link] = [link for link in soup(shown).select("a") if words(link) == "Show result"]
    assert anna.get(link["href"]).status_code == 200
    assert [row[2] for row in rows(shown)][:3] == ["Returned: damaged", "Returned: damaged", "In stock"]
    assert [row[0] for row in rows(anna.get(f"{pages}{batch.pk}/?status=damaged"))] == ["1", "2"]
    assert rows(anna.get(f"{pages}{batch.pk}/?status=lost")) == [["No ticket of this batch matches your search."]]


def test_of_the_whole_event(pages, make, confirm):
    first, second = make(amount=2), make(amount=2)
    result = confirm(f"{pages}return", lines=f"#{first.pk}: 2, {codes(second)[0]}", kind="unsold")
    assert rows(result)[:2] == [[f"#{first.pk}", "Ticket", "1", "€23.00"], [f"#{second.pk}", "Ticket", "1", "€23.00"]]
    assert panels(result) == ["Returned tickets: 2 · €46.00"]
    assert [words(cell) for cell in soup(result).select("tfoot td")] == ["2", "€46.00"]
    back = soup(result).select_one("#page-wrapper a.btn")
    assert (back["href"], words(back)) == (pages, "All batches")
    assert (states(first), states(second)) == ("pc", "cp")


def test_all_that_are_still_out(pages, make, confirm):
    batch = make(amount=3)
    confirm(f"{pages}{batch.pk}/return", everything="on", kind="lost")
    assert states(batch) == "ccc"


def test_undo_and_replace(pages, make, confirm):
    batch = make(amount=3)
    confirm(f"{pages}{batch.pk}/return", lines="1-2", kind="unsold")
    assert panels(confirm(f"{pages}{batch.pk}/undo", everything="on")) == ["Tickets that are valid again: 2 · €46.00"]
    before = [ticket.order.positions.get().secret for ticket in batch.tickets.all()]
    assert panels(confirm(f"{pages}{batch.pk}/replace", lines="2")) == ["Replaced tickets: 1"]
    after = [ticket.order.positions.get().secret for ticket in batch.tickets.all()]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]
    assert states(batch) == "ppp"
    assert [entry.display().split(" <a")[0] for entry in batch.all_logentries()[:2]] == [
        "1 ticket has been replaced.",
        "The return of 2 tickets has been undone.",
    ]


def test_only_the_replaced_tickets_are_printed_again(anna, pages, make, confirm, worker):
    batch = make(amount=5)
    result = confirm(f"{pages}{batch.pk}/replace", lines="2, 4-5")
    [form] = soup(result).select("form[data-asynctask-download]")
    with worker():
        response = anna.post(form["action"])
    printed = anna.get(response["Location"], follow=True)
    with pikepdf.open(BytesIO(b"".join(printed.streaming_content))) as pdf:
        assert len(pdf.pages) == 3
    assert Job.objects.get(kind="print").request == {"tickets": "2, 4-5"}


def test_replaced_tickets_are_printed_on_what_the_batch_was_printed_on(anna, pages, make, confirm, worker, layout):
    batch, single = make(amount=9), make(amount=2)
    sheets = {"pages": "sheets", "paper": "other", "paper_x": "500", "paper_y": "700", "columns": "2", "rows": "2"}
    with worker():
        anna.post(f"{pages}{batch.pk}/print/options", sheets | {"margin_x": "3"})
        anna.post(f"{pages}{single.pk}/print")
    Job.objects.filter(kind="print").delete()  # as the host's periodic task does it
    result = confirm(f"{pages}replace", lines=f"#{batch.pk}: 2, 4-7, #{single.pk}: 1")
    job = Job.objects.get(kind="replace")
    assert [words(form.select_one(".text-muted")) for form in soup(result).select("form[data-asynctask-download]")] == [
        "On sheets, as this batch was printed last.",
        "A page for each ticket.",
    ]
    options = [link["href"] for link in soup(result).select("form[data-asynctask-download] a")]
    assert options == [
        f"{pages}{batch.pk}/print/options?replaced={job.pk}&preset=last",
        f"{pages}{single.pk}/print/options?replaced={job.pk}",
    ]
    offered = soup(anna.get(options[0])).select_one("form[data-asynctask]")
    expected = {"tickets": "2, 4-7", "paper_x": "500.0", "columns": "2", "margin_x": "3.0"}
    assert {name: offered.select_one(f"[name={name}]")["value"] for name in expected} == expected
    assert offered.select_one("[name=pages][checked]")["value"] == "sheets"

    with worker():
        for form in soup(result).select("form[data-asynctask-download]"):
            anna.post(form["action"])
    printed = {job.batch_id: job.request for job in Job.objects.filter(kind="print", state=Job.State.SUCCEEDED)}
    assert printed[single.pk] == {"tickets": "1"}
    assert printed[batch.pk]["tickets"] == "2, 4-7"
    assert Sheet.parse(printed[batch.pk]["sheet"]) == Sheet(
        paper=(500, 700), columns=2, rows=2, margin=(3, 0), running_text=False
    )


def test_the_options_of_a_print_know_no_other_results(anna, pages, make, confirm):
    batch = make(amount=2)
    confirm(f"{pages}{batch.pk}/return", lines="1", kind="unsold")
    for key in (Job.objects.get(kind="return").pk, "x"):
        assert anna.get(f"{pages}{batch.pk}/print/options", {"replaced": key}).status_code == 404


def test_replaced_tickets_that_no_sheet_can_take_are_told_of(anna, pages, make, confirm, worker, layout):
    batch = make(amount=2)
    with worker():
        anna.post(f"{pages}{batch.pk}/print/options", {"pages": "sheets", "paper": "A3", "columns": "1", "rows": "1"})
    result = confirm(f"{pages}{batch.pk}/replace", lines="2")
    layout.layout = '[{"type": "barcodearea"}]'
    layout.save()
    response = anna.post(soup(result).select_one("form[data-asynctask-download]")["action"], follow=True)
    assert response.redirect_chain == [(f"{pages}results/{Job.objects.get(kind='replace').pk}/", 302)]
    assert "cannot be drawn" in alerts(response)[0]


def test_a_replaced_ticket_has_not_been_printed_yet(anna, pages, make, confirm, worker, layout):
    batch = make(amount=3)
    with worker():
        anna.post(f"{pages}{batch.pk}/print")
    with pytest.raises(ValidationError):
        choose(batch, only=Only.UNPRINTED)
    confirm(f"{pages}{batch.pk}/replace", lines="2")
    assert choose(batch, only=Only.UNPRINTED) == [2]
    with worker():
        anna.post(f"{pages}{batch.pk}/print/options", {"pages": "single", "only": "unprinted"})
    with pytest.raises(ValidationError):
        choose(batch, only=Only.UNPRINTED)


def test_readers_see_the_result_and_can_do_nothing_about_it(anna, ron, pages, make, confirm):
    batch = make(amount=2)
    confirm(f"{pages}{batch.pk}/replace", lines="1")
    [link] = [link for link in soup(ron.get(f"{pages}{batch.pk}/")).select("a") if words(link) == "Show result"]
    result = ron.get(link["href"])
    assert panels(result) == ["Replaced tickets: 1"]
    assert soup(result).select("#page-wrapper form") == []
    assert ron.get(f"{link['href']}tickets.csv").status_code == 200
    assert ron.post(f"{link['href']}print/{batch.pk}").status_code == 403
    assert soup(anna.get(link["href"])).select("#page-wrapper form") != []


def test_what_was_returned_is_not_printed(anna, pages, make, confirm):
    batch = make(amount=2)
    result = confirm(f"{pages}{batch.pk}/return", lines="1", kind="unsold")
    assert soup(result).select("form[data-asynctask-download]") == []
    job = Job.objects.get(kind="return")
    assert anna.post(f"{pages}results/{job.pk}/print/{batch.pk}").status_code == 404


def test_a_file(anna, pages, make):
    batch = make(amount=3)
    content = f"\ufeffOrder code;Name\r\n{codes(batch)[0]};x\r\n{codes(batch)[2]};y\r\n".encode()
    response = anna.post(f"{pages}return", {"file": SimpleUploadedFile("back.csv", content), "kind": "unsold"})
    assert words(soup(response).select_one(".panel-body p")).startswith("2 tickets will be returned.")
    assert soup(response).select_one("#id_lines").text.split() == [codes(batch)[0], codes(batch)[2]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Please say which tickets."),
        ({"lines": " ,\n"}, "Please say which tickets."),
        ({"lines": "1", "everything": "on"}, "Please choose either all tickets, or some."),
        ({"lines": "\n".join(["1-9000", "9001-10001"])}, "These are more than 10000 tickets."),
        ({"file": SimpleUploadedFile("x.png", b"\x89PNG\0\1")}, "This file is no text."),
        ({"lines": "1", "kind": "eaten"}, "Select a valid choice."),
    ],
)
def test_nonsense_is_refused_in_words(anna, pages, make, values, message):
    batch = make(amount=1)
    response = anna.post(f"{pages}{batch.pk}/return", {"kind": "unsold", "confirmed": "on"} | values)
    assert message in words(soup(response).select_one("#offlinesales-tickets"))
    assert (states(batch), Job.objects.filter(kind="return").count()) == ("p", 0)


def test_nothing_to_be_done_can_not_be_confirmed(anna, pages, make):
    batch = make(amount=1)
    response = anna.post(f"{pages}{batch.pk}/return", {"lines": "7", "kind": "unsold"})
    assert [words(button) for button in soup(response).select(".panel button")] == []


def test_a_verdict_for_each_line(event, anna, pages, make):
    batch, other = make(amount=4), make(amount=1)
    first, second, third, _fourth = codes(batch)
    gate = event.checkin_lists.create(name="Gate", all_products=True)
    gate.checkins.create(position=batch.tickets.get(number=2).order.positions.get())
    answer = anna.post(
        f"{pages}return",
        {"verdicts": "on", "lines": f"{first}\r\n{second}\r\nnope\r\n#{batch.pk}: 1-3\r\n,\r\n{codes(other)[0]}"},
    ).json()
    assert answer["verdicts"] == [
        {"level": "success", "text": f"can be returned (#{batch.pk}-1)", "tickets": {first: batch.pk}},
        {"level": "danger", "text": "checked in", "tickets": {}},
        {"level": "danger", "text": "unknown", "tickets": {}},
        {
            "level": "warning",
            "text": f"can be returned: 2, #{batch.pk}-2: checked in",
            "tickets": {first: batch.pk, third: batch.pk},
        },
        {"level": "danger", "text": "unknown", "tickets": {}},
        {"level": "success", "text": f"can be returned (#{other.pk}-1)", "tickets": {codes(other)[0]: other.pk}},
    ]
    assert answer["batches"] == {str(batch.pk): f"#{batch.pk} · Ticket", str(other.pk): f"#{other.pk} · Ticket"}
    assert states(batch) == "pppp"


def test_verdicts_on_tickets_of_another_event(series, series_item, anna, make):
    batch = make(amount=1)
    page = f"/control/event/{series.organizer.slug}/{series.slug}/offlinesales/return"
    lines = f"{codes(batch)[0]}\n#{batch.pk}-1"
    answer = anna.post(page, {"verdicts": "on", "lines": lines}).json()
    assert [verdict["text"] for verdict in answer["verdicts"]] == ["unknown", "unknown"]


def test_a_ticket_of_another_batch_is_said_to_be_one(anna, pages, make, confirm):
    batch, other = make(amount=2), make(amount=3)
    lines = [codes(other)[0], other.tickets.get(number=2).order.positions.get().secret, f"#{other.pk}-3"]
    texts = [f"belongs to batch #{other.pk} (#{other.pk}-{number})" for number in (1, 2, 3)]
    page = f"{pages}{batch.pk}/return"
    answer = anna.post(page, {"verdicts": "on", "lines": "\n".join([*lines, f"#{other.pk}-4", "nope"])}).json()
    assert answer["verdicts"] == [
        *({"level": "warning", "text": text, "tickets": {}} for text in texts),
        {"level": "danger", "text": "unknown", "tickets": {}},
        {"level": "danger", "text": "unknown", "tickets": {}},
    ]
    lines.append("1")
    checked = anna.post(page, {"lines": "\n".join(lines), "kind": "unsold"})
    assert sorted(row[2] for row in rows(checked)[1:]) == texts
    result = confirm(page, lines="\n".join(lines), kind="unsold")
    assert sorted(row[2] for row in rows(result)[2:]) == texts
    exported = anna.get(f"{pages}results/{Job.objects.get(kind='return').pk}/tickets.csv").content.decode()
    assert sorted(row[5] for row in csv.reader(StringIO(exported)))[1:4] == texts
    # For programs, it stays what it was.
    reasons = {(line["order"], line["reason"]) for line in skipped(Job.objects.get(kind="return"))}
    assert reasons == {(None, "unknown")}
    assert states(other) == "ppp"


def test_verdicts_take_as_many_queries_for_many(anna, pages, make):
    batch, other = make(amount=20), make(amount=20)
    page = f"{pages}{batch.pk}/return"

    def queries(lines):
        with CaptureQueriesContext(connection) as captured:
            anna.post(page, {"verdicts": "on", "lines": "\n".join(lines)})
        return len(captured)

    few, many = ["1-20", codes(other)[0], "50"], [*["1-20"] * 9, *codes(batch), *codes(other), *map(str, range(50, 90))]
    queries(few)
    assert queries(many) == queries(few)


def test_verdicts_on_too_much_at_once(anna, pages, make):
    batch = make(amount=1)
    for lines in ("\n".join("x" * 600), "1-9000\n9001-10001"):
        assert anna.post(f"{pages}{batch.pk}/return", {"verdicts": "on", "lines": lines}).status_code == 400


def test_the_result_as_csv(anna, pages, make, confirm):
    batch = make(amount=2)
    confirm(f"{pages}{batch.pk}/return", lines="1\nnope", kind="unsold")
    job = Job.objects.get(kind="return")
    response = anna.get(f"{pages}results/{job.pk}/tickets.csv")
    assert list(csv.reader(StringIO(response.content.decode())))[1:] == [
        [str(batch.pk), "1", codes(batch)[0], "Ticket", "", "returned", ""],
        ["", "", "", "", "nope", "unknown", ""],
    ]


def test_the_result_goes_with_the_job(anna, pages, make, confirm):
    batch = make(amount=2)
    confirm(f"{pages}{batch.pk}/return", lines="1", kind="unsold")
    job = Job.objects.get(kind="return")
    assert anna.get(f"{pages}results/{job.pk}/").status_code == 200
    Job.objects.update(finished=now() - timedelta(hours=25))
    assert anna.get(f"{pages}results/{job.pk}/").status_code == 404
    batch.all_logentries().filter(action_type__endswith="returned").update(datetime=now() - timedelta(hours=25))
    assert "Show result" not in anna.get(f"{pages}{batch.pk}/").content.decode()


def test_a_job_that_failed_half_way_says_so(anna, pages, make, confirm):
    batch = make(amount=2)
    confirm(f"{pages}{batch.pk}/return", lines="1", kind="unsold")
    Job.objects.filter(kind="return").update(state="failed", message="Interrupted.")
    response = anna.get(f"{pages}results/{Job.objects.get(kind='return').pk}/")
    assert (alerts(response), panels(response)) == (["Interrupted."], ["Returned tickets: 1 · €23.00"])


def shown_states(response):
    return [row[2] for row in rows(response)]


def test_lost_and_found_again(anna, pages, make, confirm):
    batch = make(amount=4)
    detail, page = f"{pages}{batch.pk}/", f"{pages}{batch.pk}/lost"
    assert links_to(anna.get(detail), "lost", "undo/lost") == [page]
    checked = anna.post(page, {"lines": "1-2\n9"})
    assert words(soup(checked).select_one(".panel-body p")) == "2 tickets will be blocked. Value: €46.00"
    assert soup(checked).select("[name=kind]") == []
    result = confirm(page, lines="1-2\n9")
    assert panels(result) == ["Tickets reported lost or stolen: 2 · €46.00", "Left alone"]
    assert words(soup(result).select_one("h1")) == "Report lost tickets"

    listed = anna.get(detail)
    assert shown_states(listed)[:4] == ["Lost or stolen", "Lost or stolen", "In stock", "In stock"]
    assert links_to(listed, "lost", "undo/lost") == [page, f"{pages}{batch.pk}/undo/lost"]
    expected = {"reported_lost": "12", "outstanding": "34", "out": "34", "lost": "", "canceled": ""}
    for status, numbers in expected.items():
        assert "".join(row[0] for row in rows(anna.get(f"{detail}?status={status}")) if row[1:]) == numbers, status
    assert [row[4] for row in csv.reader(StringIO(anna.get(f"{detail}tickets.csv").content.decode()))][1:] == [
        *("Lost or stolen", "Lost or stolen", "In stock", "In stock")
    ]

    [form] = soup(result).select("#page-wrapper form")
    assert (form["action"], words(form)) == (f"{pages}undo/lost", f"#{batch.pk}-1 #{batch.pk}-2 Undo losses …")
    undone = confirm(form["action"], lines=form.select_one("[name=lines]").text)
    assert panels(undone) == ["Tickets not reported lost any more: 2 · €46.00"]
    assert words(soup(undone).select_one("h1")) == "Undo losses"
    assert shown_states(anna.get(detail))[:4] == ["In stock"] * 4
    assert states(batch) == "pppp"


def links_to(response, *names):
    found = [link["href"] for link in soup(response).select("a[href]")]
    return [link for link in found if any(link.endswith(f"/{name}") for name in names)]


def test_lost_paper_of_the_whole_event(anna, pages, make, confirm):
    first, second = make(amount=2), make(amount=2)
    assert f"{pages}lost" in links_to(anna.get(pages), "lost")
    result = confirm(f"{pages}lost", lines=f"#{first.pk}: 2, {codes(second)[0]}")
    assert rows(result)[:2] == [
        [f"#{first.pk}", "Ticket", "1", "€23.00"],
        [f"#{second.pk}", "Ticket", "1", "€23.00"],
    ]
    again = anna.post(f"{pages}lost", {"lines": f"#{first.pk}: 1-2"})
    assert rows(again)[-1] == [f"#{first.pk}-2", codes(first)[1], "already reported lost or stolen"]
    assert confirm(f"{pages}undo/lost", lines=f"#{first.pk}: 1-2").status_code == 200
    assert [ticket.lost is None for batch in (first, second) for ticket in batch.tickets.order_by("number")] == [
        *(True, True, False, True)
    ]


def test_verdicts_on_lost_tickets(anna, pages, make, confirm):
    batch = make(amount=2)
    confirm(f"{pages}{batch.pk}/lost", lines="1")

    def verdicts(page):
        answer = anna.post(f"{pages}{batch.pk}/{page}", {"verdicts": "on", "lines": "1\n2"}).json()
        return [verdict["text"] for verdict in answer["verdicts"]]

    assert verdicts("lost") == ["already reported lost or stolen", f"can be reported lost (#{batch.pk}-2)"]
    assert verdicts("undo/lost") == [f"was reported lost (#{batch.pk}-1)", "not reported lost or stolen"]
    assert verdicts("undo") == ["still valid", "still valid"]
    assert verdicts("replace")[0] == "reported lost or stolen, so undo that first"
    assert verdicts("return") == [
        f"can be returned (#{batch.pk}-1), reported lost or stolen",
        f"can be returned (#{batch.pk}-2)",
    ]
    answer = anna.post(f"{pages}{batch.pk}/return", {"verdicts": "on", "lines": "1-2"}).json()
    assert answer["verdicts"] == [
        {
            "level": "warning",
            "text": "can be returned: 2, reported lost or stolen: 1",
            "tickets": dict.fromkeys(codes(batch), batch.pk),
        }
    ]


def test_it_is_said_which_tickets_stay_lost(anna, pages, make, confirm):
    batch = make(amount=3)
    said = "1 of these tickets was reported lost or stolen, and stays blocked."

    def asked(page, **values):
        text = words(soup(anna.post(f"{pages}{batch.pk}/{page}", values)).select_one(".panel [data-offlinesales-news]"))
        return said in text

    confirm(f"{pages}{batch.pk}/lost", lines="1")
    for lines, is_said in {"1-2": True, "2-3": False}.items():
        assert asked("return", lines=lines, kind="unsold") == is_said
    confirm(f"{pages}{batch.pk}/return", lines="1-2", kind="unsold")
    assert [asked("undo", lines=lines) for lines in ("1-2", "2")] == [True, False]
    confirm(f"{pages}{batch.pk}/undo", lines="1-2")
    assert not asked("undo/lost", lines="1")


def test_a_return_is_undone_from_its_result(pages, make, confirm, anna, ron):
    batch = make(amount=3)
    result = confirm(f"{pages}{batch.pk}/return", lines="1, 3", kind="unsold")
    [form] = soup(result).select("#page-wrapper form")
    assert (form["action"], words(form.select_one("button"))) == (f"{pages}undo", "Undo returns …")
    assert soup(ron.get(f"{pages}results/{Job.objects.get(kind='return').pk}/")).select("#page-wrapper form") == []
    confirm(form["action"], lines=form.select_one("[name=lines]").text)
    assert states(batch) == "ppp"


def test_a_job_is_waited_for_on_the_page_where_it_was_asked_for(anna, pages, make):
    batch = make(amount=1)
    anna.post(f"{pages}{batch.pk}/undo/lost", {"everything": "on", "confirmed": "on"})
    job = Job.objects.get(kind="undo_lost")
    assert anna.get(f"{pages}{batch.pk}/undo/lost?async_id={job.pk}&ajax=1").status_code == 200
    assert anna.get(f"{pages}{batch.pk}/undo?async_id={job.pk}&ajax=1").status_code == 404


def test_the_hosts_pages_say_that_the_paper_is_lost(event, anna, pages, make, confirm):
    batch = make(amount=1)
    order = f"/control/event/{event.organizer.slug}/{event.slug}/orders/{codes(batch)[0]}/"
    said = "The ticket was reported lost or stolen on"
    assert said not in anna.get(order).content.decode()
    confirm(f"{pages}{batch.pk}/lost", lines="1")
    page = words(soup(anna.get(order)))
    assert said in page
    assert "Reported lost or stolen" in page
    assert "Blocked due to external constraints" in words(soup(anna.get(f"{order}change")))
    confirm(f"{pages}{batch.pk}/return", lines="1", kind="lost")
    assert said not in anna.get(order).content.decode()


def test_lost_tickets_are_printed_and_counted_as_blocked(anna, pages, make, confirm, worker, layout):
    batch = make(amount=3)
    confirm(f"{pages}{batch.pk}/lost", lines="2")
    preview = words(soup(anna.get(f"{pages}{batch.pk}/print/preview", {"pages": "single"})))
    assert "1 of these tickets is blocked. It is printed all the same" in preview
    with worker():
        anna.post(f"{pages}{batch.pk}/print")
    assert Job.objects.get(kind="print").result["blocked"] == 1
    assert "1 of these tickets was blocked when they were printed." in words(soup(anna.get(f"{pages}{batch.pk}/")))
