"""What the REST API says of tickets that come back, and what it refuses."""

HOST = "http://testserver"

SELECTORS = ["tickets", "orders", "secrets", "all", "all_but"]

NO_NUMBERS = ("5-2", "0", "0-3", "x", "", " ", ",", "1,,2", "-3", "3-", "1-2-3", "1.5", "1 2", "1;2", "٣", "9" * 9_999)
TOO_MANY = ("1-10001", "1-999999999999", "1-10000, 10001")
NO_LISTS = (None, "ABCDE", [], [1], [None], [[]], [""], {})

#: Bodies that select no tickets, and the fields that are wrong.
NONSENSE = [({"tickets": text}, ["tickets"]) for text in (*NO_NUMBERS, *TOO_MANY)]
NONSENSE += [({"tickets": value}, ["tickets"]) for value in (None, 5, True, [1], {"1": 2})]
NONSENSE += [({name: value}, [name]) for name in ("orders", "secrets") for value in NO_LISTS]
NONSENSE += [({"all": value}, ["all"]) for value in (None, False, 1, "true", [])]
NONSENSE += [({"all_but": text}, ["all_but"]) for text in (*NO_NUMBERS, *TOO_MANY) if text.strip()]
NONSENSE += [({"all_but": value}, ["all_but"]) for value in (None, 5, True, [1], {"1": 2})]
NONSENSE += [({"all": True, "seller": value}, ["seller"]) for value in (None, "", "Kiosk", 0, -1, 10**30, [], {})]
NONSENSE += [({"all": True, "kind": value}, ["kind"]) for value in (None, "", "stolen", 1, [])]
NONSENSE += [({"all": True, "dry_run": value}, ["dry_run"]) for value in (None, "yes", 1, [])]
NONSENSE += [
    ({}, SELECTORS),
    ({"dry_run": True, "kind": "lost"}, SELECTORS),
    ({"all": True, "tickets": "1"}, ["all", "tickets"]),
    ({"orders": ["A"], "secrets": ["a"]}, ["orders", "secrets"]),
    ({"all": True, "all_but": "1"}, ["all", "all_but"]),
    ({"all": True, "dryrun": True}, ["dryrun"]),
    ([], ["non_field_errors"]),
    ("1-5", ["non_field_errors"]),
]


def states(batch):
    """The status of each order, in the order of the tickets."""
    return [ticket.order.status for ticket in batch.tickets.order_by("number")]


def skipped(order, value, reason):
    return {"order": order, "value": value, "reason": reason}
