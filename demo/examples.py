"""
Plays the documented calls with ``curl`` against a running ``make serve``, and ends with an error where an answer is not
the documented one. What it shows is what docs/api.rst says.
"""

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from time import sleep

from . import DIRECTORY, URL

ORGANIZER = f"{URL}/api/v1/organizers/museum"
API = f"{ORGANIZER}/events"
FIELDS = {
    "id", "creation", "testmode", "sales_channel", "layout", "subevent", "item", "variation", "amount", "comment"
}  # fmt: skip
SELLER = {
    "id", "name", "identifier", "email", "phone", "address", "vat_id", "locale", "currency", "active", "comment",
    "commission_percent", "commission_fixed", "commission_tax_rate", "credit_limit", "firm", "deadline_days",
    "deadline_action", "payment_days", "contact", "commission_tax_text", "commission_invoiced_by",
    "product_commissions",
}  # fmt: skip
STATEMENT = {
    "id", "number", "seller", "currency", "until", "total", "commission", "commission_tax", "due", "paid", "settled",
    "events", "created", "pay_until", "invoice_number",
}  # fmt: skip
CONTENTS = {"lines", "taxes", "commissions"}
UNKNOWN = "29891ede-196f-4942-9e26-d055a36e98b8"

token = (DIRECTORY / "token").read_text() if (DIRECTORY / "token").exists() else sys.exit("Run `make serve` first")


def main():
    night, tours = f"{API}/night/offlinesalesbatches/", f"{API}/tours/offlinesalesbatches/"
    layout = only(call("GET", f"{API}/night/ticketlayouts/", 200))
    items = {item["name"]["en"]: item for item in call("GET", f"{API}/night/items/", 200)["results"]}
    night_pass, workshop, roof = items["Night pass"], items["Workshop"], items["Roof terrace"]
    tour = only(call("GET", f"{API}/tours/items/", 200))
    date = call("GET", f"{API}/tours/subevents/", 200)["results"][0]

    title("Create a batch")
    values = {"testmode": True, "layout": layout["id"], "item": night_pass["id"], "sales_channel": "web", "amount": 10}
    batch = create(night, values)
    same(batch, values | {"variation": None, "subevent": None, "comment": ""})
    same(set(batch), FIELDS | {"orders"})
    same(len(set(batch["orders"])), 10)

    title("… of a product with variations, of a date in a series")
    values = {"item": workshop["id"], "variation": workshop["variations"][1]["id"], "sales_channel": "web", "amount": 2}
    same(create(night, values), values | {"testmode": False, "layout": layout["id"]})
    values = {"item": tour["id"], "subevent": date["id"], "sales_channel": "web", "amount": 3, "comment": "Bookshop"}
    same(create(tours, values), values)

    title("List and detail")
    page = call("GET", f"{night}?item={night_pass['id']}&testmode=true&ordering=-id", 200)
    same(set(page), {"count", "next", "previous", "results"})
    same(page["results"][0], {key: value for key, value in batch.items() if key != "orders"})
    same(set(page["results"][0]), FIELDS)
    same(call("GET", f"{night}{batch['id']}/", 200), batch)

    title("Print a batch; both spellings work")
    for spelling in ("render/", "render"):
        download = call("POST", f"{night}{batch['id']}/{spelling}", 202)
        same(set(download), {"download"})
        pdf = wait(download["download"], 200, "application/pdf")
        same(pdf[:5], b"%PDF-")

    title("… some tickets, and several on a sheet")
    sheet = {"paper": "A3", "margin": 5, "gutter": 3, "crop_marks": True, "order": "stack"}
    for body in ({"tickets": "2-5, 9", "sheet": sheet}, {"tickets": "1", "only": "valid"}, {"sheet": {"paper": "A4"}}):
        download = call("POST", f"{night}{batch['id']}/render/", 202, body)
        same(wait(download["download"], 200, "application/pdf")[:5], b"%PDF-")
    for key, nonsense in {"tickets": "11", "only": "unprinted", "ticket": "1", "sheet": {"paper": [200, 90]}}.items():
        same(set(call("POST", f"{night}{batch['id']}/render/", 400, {key: nonsense})), {key})
    nonsense = {"paper": "A4", "columns": 2, "rows": 3, "margin": -1}
    same(set(call("POST", f"{night}{batch['id']}/render/", 400, {"sheet": nonsense})["sheet"]), {"margin"})

    title("Return tickets: those that would be, some, and some again")
    codes, ways = batch["orders"], f"{night}{batch['id']}/return/"
    would_be = {"returned": codes[6:9], "skipped": [{"order": None, "value": "12", "reason": "unknown"}]}
    same(give_back(ways, {"tickets": "7-9, 12", "dry_run": True}), would_be)
    same(give_back(ways, {"tickets": "7-9, 12", "kind": "unsold"}), would_be)
    again = {"order": codes[6], "value": codes[6], "reason": "already_canceled"}
    more = {"orders": [codes[6], codes[5]], "kind": "lost"}
    same(give_back(ways, more), {"returned": [codes[5]], "skipped": [again]})
    for nonsense in ("5-2", "0", "x"):
        same(set(call("POST", ways, 400, {"tickets": nonsense})), {"tickets"})

    title("List its tickets")
    page = call("GET", f"{night}{batch['id']}/tickets/?ordering=-number", 200)
    same([ticket["order"] for ticket in page["results"]], codes[::-1])
    same(page["results"][3], {"number": 7, "order": codes[6], "status": "c", "returned": "unsold", "checked_in": False})
    same(call("GET", f"{night}{batch['id']}/tickets/?returned=lost", 200)["count"], 1)

    title("Undo returns, and replace tickets")
    undone = give_back(f"{night}{batch['id']}/undo/", {"tickets": "6-8"})
    same(undone, {"undone": codes[5:8], "skipped": []})
    still_valid = {"order": codes[0], "value": codes[0], "reason": "not_canceled"}
    same(give_back(f"{night}{batch['id']}/undo/", {"orders": [codes[0]]}), {"undone": [], "skipped": [still_valid]})
    canceled = {"order": codes[8], "value": "9", "reason": "already_canceled"}
    replaced = give_back(f"{night}{batch['id']}/replace/", {"tickets": "7, 9"})
    same(replaced, {"replaced": [codes[6]], "skipped": [canceled]})

    title("List jobs")
    page = call("GET", f"{night}jobs/?kind=issue&state=succeeded", 200)
    job = page["results"][0]
    same(job, {"kind": "issue", "state": "succeeded", "progress": 100, "amount": 2, "message": ""})
    same(job["requested_by"]["type"], "token")
    same(call("GET", job["check"], 200), {"id": job["batch"], "amount": 2})
    replacing = call("GET", f"{night}jobs/?kind=replace", 200)["results"][0]
    same(call("GET", replacing["check"], 200), replaced)

    title("Change the comment, and nothing else")
    same(call("PATCH", f"{night}{batch['id']}/", 200, {"comment": "Kiosk"}), batch | {"comment": "Kiosk"})
    call("PUT", f"{night}{batch['id']}/", 405, values)
    call("DELETE", f"{night}{batch['id']}/", 405)

    sell(night, night_pass)

    title("Too few tickets left")
    check = call("POST", night, 202, {"item": roof["id"], "sales_channel": "web", "amount": 6})
    failed = wait(check["check"], 410)
    same(set(failed), {"status", "message"})
    same(failed["status"], "failed")
    same(call("GET", f"{night}?item={roof['id']}", 200)["count"], 0)

    title("Invalid input names the field")
    for field, value in {"amount": 0, "item": 0, "sales_channel": "moon", "layout": 0, "variation": 0}.items():
        values = {"item": night_pass["id"], "sales_channel": "web", "amount": 10, field: value}
        same(set(call("POST", night, 400, values)), {field})
    same(set(call("POST", night, 400, {})), {"item", "sales_channel", "amount"})

    title("Unknown things, and those without permission")
    call("GET", f"{night}check/{UNKNOWN}/", 404)
    call("GET", f"{night}{batch['id']}/download/{UNKNOWN}/{UNKNOWN}/", 404)
    call("GET", f"{night}0/", 404)
    call("GET", f"{URL}/api/v1/organizers/bigevents/events/democon/offlinesalesbatches/", 403)
    call("GET", night, 401, authorized=False)

    print("\nAll answers are as documented.")


def sell(batches: str, product: dict):
    """Sellers, and what goes from hand to hand."""
    title("Sellers")
    sellers, documents = f"{ORGANIZER}/offlinesalessellers/", f"{ORGANIZER}/offlinesalesdocuments/"
    kiosk, office, unused = (call("POST", sellers, 201, {"name": name}) for name in ("Kiosk", "Office", "Nobody"))
    same(set(kiosk), SELLER | {"balance", "owed", "held", "held_value"})
    terms = {"commission_percent": "10.00", "commission_tax_rate": "19.00"}
    commissions = [{"item": product["id"], "commission_percent": "5.00", "commission_fixed": "0.00"}]
    values = {"identifier": f"K-{kiosk['id']}", "product_commissions": commissions, **terms}
    same(call("PATCH", f"{sellers}{kiosk['id']}/", 200, values), kiosk | values)
    same(set(call("PATCH", f"{sellers}{office['id']}/", 400, {"identifier": values["identifier"]})), {"identifier"})
    for field, value in {"name": "", "currency": "X", "locale": "x", "commission_percent": "101"}.items():
        same(set(call("POST", sellers, 400, {"name": "Kiosk", field: value})), {field})
    found = only(
        call("GET", f"{sellers}?identifier={values['identifier']}&active=true&search=kiosk&ordering=name", 200)
    )
    same((set(found), found["id"]), (SELLER, kiosk["id"]))
    call("DELETE", f"{sellers}{unused['id']}/", 204, content_type="")
    call("GET", f"{sellers}{unused['id']}/", 404)

    title("Hand tickets over: those that would be, a delivery, a transfer, and back")
    values = {"item": product["id"], "sales_channel": "web", "amount": 10}
    first, second = (create(batches, values)["id"] for _each in range(2))
    ways = batches.replace("offlinesalesbatches", "offlinesaleshandovers")
    tickets = {str(first): "1-5, 8", str(second): "1-2"}
    wanted = {"seller": kiosk["id"], "tickets": tickets, "comment": "In a blue envelope"}
    would_be = {"kind": "delivery", "from": None, "to": kiosk["id"], "count": 8, "value": "184.00", "tickets": tickets}
    same(call("POST", ways, 200, wanted | {"dry_run": True}), would_be | {"refused": []})
    delivery = call("POST", ways, 201, wanted)
    same(delivery, would_be | {"seller": kiosk["id"], "event": "night", "comment": "In a blue envelope"})
    again = call("POST", ways, 400, wanted | {"tickets": {str(first): "1-3, 99"}})
    refused = [("1-3", "already_there"), ("99", "unknown")]
    same(again["refused"], [{"batch": first, "tickets": numbers, "reason": reason} for numbers, reason in refused])
    same(again["tickets"], {str(first): ["1-3: already there", "99: unknown"]})
    transfer = call("POST", ways, 201, {"seller": office["id"], "tickets": {str(first): "2-3"}})
    same(transfer, {"kind": "transfer", "from": kiosk["id"], "to": office["id"]})
    back = call("POST", ways, 201, {"seller": None, "tickets": {str(second): "1-2"}})
    same(back, {"kind": "take_back", "from": kiosk["id"], "to": None, "count": 2, "value": "46.00"})
    for field, value in {"seller": 0, "tickets": {"0": "1"}, "comment": 1, "dryrun": True}.items():
        same(set(call("POST", ways, 400, wanted | {field: value})), {field})

    title("What sellers hold")
    same(call("GET", f"{sellers}{kiosk['id']}/", 200), {"held": 4, "held_value": "92.00", "balance": "0.00"})
    call("DELETE", f"{sellers}{kiosk['id']}/", 403)
    held = batches.replace("offlinesalesbatches", "offlinesalestickets")
    page = call("GET", f"{held}?seller={kiosk['id']}&state=held", 200)
    same([(each["batch"], each["number"]) for each in page["results"]], [(first, number) for number in (1, 4, 5, 8)])
    same(page["results"][0], {"seller": kiosk["id"], "state": "held", "active": True, "status": "p"})
    same(call("GET", f"{held}?batch={first}&seller=null&ordering=-batch,-number", 200)["count"], 4)
    same(call("GET", f"{batches}{first}/tickets/?seller={office['id']}", 200)["count"], 2)

    title("Documents")
    page = call("GET", f"{documents}?seller={kiosk['id']}&event=night&created_since=2020-01-01T00:00:00Z", 200)
    same(page["results"], [delivery, transfer, back])
    same(call("GET", f"{documents}{delivery['id']}/", 200), delivery)
    same(call("GET", f"{documents}{delivery['id']}/pdf/", 200, content_type="application/pdf")[:5], b"%PDF-")
    call("GET", f"{documents}0/", 404)
    call("GET", documents, 401, authorized=False)
    state(documents, kiosk, f"{batches}{first}/sold/")


def state(documents: str, kiosk: dict, sold: str):
    """What a seller owes, and what she pays."""
    statements = documents.replace("offlinesalesdocuments", "offlinesalesstatements")
    payments = documents.replace("offlinesalesdocuments", "offlinesalespayments")

    title("Statements: there is nothing, what would be said, and what is said")
    asked = {"seller": kiosk["id"], "events": ["night"]}
    same(set(call("POST", statements, 400, asked)), {"non_field_errors"})
    wait(call("POST", sold, 202, {"tickets": "1, 4-5"})["check"], 200)
    would_be = call("POST", statements, 200, asked | {"dry_run": True})
    same((set(would_be), would_be["id"], would_be["number"]), (STATEMENT | CONTENTS, None, None))
    statement = call("POST", statements, 201, asked)
    of_it = {name: statement[name] for name in ("id", "number", "until", "created", "invoice_number")}
    same(statement, would_be | of_it)
    # 5 percent for this product, and the tax on that
    same(statement, {"total": "69.00", "commission": "3.45", "commission_tax": "0.66", "due": "64.89", "paid": "0.00"})
    [line] = statement["lines"]
    same(line, {"event": "night", "price": "23.00", "count": 3, "gross": "69.00", "tax_rate": "7.00"})
    for field, value in {"seller": 0, "events": ["x"], "until": "2999-12-31", "dryrun": True}.items():
        same(set(call("POST", statements, 400, asked | {field: value})), {field})

    title("… listed, in detail, and as files")
    found = only(call("GET", f"{statements}?seller={kiosk['id']}&event=night&settled=false&overdue=false", 200))
    same(found, {name: statement[name] for name in STATEMENT})
    same(set(found), STATEMENT)
    same(call("GET", f"{statements}{statement['id']}/", 200), statement)
    for name, content_type in {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}.items():
        call("GET", f"{statements}{statement['id']}/{name}/", 200, content_type=content_type)
    same(call("GET", f"{statements}{statement['id']}/json/", 200), {"id": statement["id"], "kind": "statement"})
    document = only(call("GET", f"{documents}?seller={kiosk['id']}&kind=statement", 200))
    same(document, {"id": statement["id"], "count": 3, "tickets": line["tickets"]})

    title("Payments: in part, a wrong one, and the rest")
    wanted = {"statement": statement["id"], "date": "2026-07-10"}
    paid = [call("POST", payments, 201, wanted | {"amount": amount}) for amount in ("40.00", "400.00", "-400.00")]
    same(paid[0], wanted | {"amount": "40.00", "seller": kiosk["id"], "currency": "EUR", "reference": ""})
    paid.append(call("POST", payments, 201, wanted | {"amount": "24.89", "reference": "Transfer 17"}))
    same(call("GET", f"{payments}?statement={statement['id']}&ordering=id", 200)["results"], paid)
    same(call("GET", f"{payments}{paid[0]['id']}/", 200), paid[0])
    same(call("GET", f"{statements}{statement['id']}/", 200), {"paid": "64.89", "settled": True})
    for field, value in {"statement": 0, "amount": "0", "date": "3000-01-01", "refrence": "x"}.items():
        same(set(call("POST", payments, 400, wanted | {"amount": "1.00", field: value})), {field})
    call("DELETE", f"{payments}{paid[0]['id']}/", 405)


def create(batches: str, values: dict) -> dict:
    check = call("POST", batches, 202, values)
    same(set(check), {"check"})
    return wait(check["check"], 200)


def give_back(ways: str, body: dict) -> dict:
    check = call("POST", ways, 202, body)
    same(set(check), {"check"})
    return wait(check["check"], 200)


def wait(url: str, status: int, content_type: str = "application/json"):
    """Ask for the result of a job, as long as the answer is that it is not done yet."""
    while True:
        answered, answer = call("GET", url, (status, 409), content_type=content_type, with_status=True)
        if answered == status:
            return answer
        same(answer["status"] in ("waiting", "running"), True)
        sleep(1)


def call(method, url, status, body=None, *, content_type="application/json", authorized=True, with_status=False):
    """Run curl, show it, and compare status and type of the answer."""
    command = ["curl", url] if method == "GET" else ["curl", "-X", method, url]
    if authorized:
        command += ["-H", "Authorization: Token $TOKEN"]
    if body is not None:
        command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    print("\n$", shlex.join(command).replace("'Authorization: Token $TOKEN'", '"Authorization: Token $TOKEN"'))
    with tempfile.NamedTemporaryFile() as output:
        options = f"--silent --show-error --max-time 300 --output {output.name} --write-out".split()
        status_line = subprocess.check_output(
            [word.replace("$TOKEN", token) for word in command] + options + ["%{http_code} %{content_type}"], text=True
        )
        answer = Path(output.name).read_bytes()
    answered, answered_type = int(status_line[:3]), status_line[4:]
    if answered_type.startswith("application/json"):
        answer = json.loads(answer)
        print(answered, shorten(json.dumps(answer, ensure_ascii=False)))
    else:
        print(answered, answered_type, f"{len(answer):,} bytes")
    expected = status if isinstance(status, tuple) else (status,)
    if answered not in expected:
        sys.exit(f"Expected status {' or '.join(map(str, expected))}")
    if answered != 409 and answered_type != content_type:
        sys.exit(f"Expected {content_type}")
    return (answered, answer) if with_status else answer


def same(answer, expected):
    """Compare an answer with what it must be; of an object, with the fields that are named."""
    if isinstance(expected, dict):
        answer = {key: answer.get(key, "(missing)") for key in expected}
    if answer != expected:
        sys.exit(f"Expected {expected}\n     got {answer}")


def only(page: dict) -> dict:
    same(page["count"], 1)
    return page["results"][0]


def title(text: str):
    print(f"\n{text}\n{'-' * len(text)}")


def shorten(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:400]} …"


if __name__ == "__main__":
    main()
