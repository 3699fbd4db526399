"""Why a ticket is left alone. The values are those of the API."""

from django.utils.translation import gettext_lazy as _

UNKNOWN = "unknown"
#: What was given could be two different tickets.
AMBIGUOUS = "ambiguous"
ALREADY_CANCELED = "already_canceled"
CHECKED_IN = "checked_in"
#: It isn't what was issued any more: another product or price, more positions or fewer.
CHANGED = "changed"
#: The gift card that was sold with it has less on it than was paid for it.
GIFT_CARD_USED = "gift_card_used"

# Of tickets that shall become valid again:
NOT_CANCELED = "not_canceled"
#: Canceled otherwise.
NOT_RETURNED = "not_returned"
#: The codes on the paper are on the revocation list: it needs replacing.
REVOKED = "revoked"
#: There is no place for it any more, or the host would not make it valid for another reason.
SOLD_OUT = "sold_out"
#: Somebody else held the quota for too long.
BUSY = "busy"
#: Something is wrong with this ticket, and the log says what.
FAILED = "failed"

# Of tickets that are lost, or shall get new codes:
GIFT_CARD = "gift_card"
#: Whoever holds the paper must not get new codes without a word.
LOST = "lost"
ALREADY_LOST = "already_lost"
NOT_LOST = "not_lost"

# Of tickets that shall be handed over, or declared as sold, or not any more:
#: Sold as its holder says, or bought by her.
SOLD = "sold"
#: A statement says that its holder owes it, and none has taken that back.
STATED = "stated"
#: What it costs has come in.
SETTLED = "settled"
#: The holder has bought it, as was agreed.
FIRM = "firm"
NOT_SOLD = "not_sold"
#: It came back, or changed, so that another statement says what is owed for it.
NOT_STATED = "not_stated"
ALREADY_THERE = "already_there"
#: All that is handed over at once comes from one place.
HELD_ELSEWHERE = "held_elsewhere"
TEST_MODE = "test_mode"

#: What is said to people.
TEXTS = {
    UNKNOWN: _("unknown"),
    AMBIGUOUS: _("could be two different tickets"),
    ALREADY_CANCELED: _("already canceled"),
    CHECKED_IN: _("checked in"),
    CHANGED: _("order has been changed"),
    GIFT_CARD_USED: _("gift card has been used"),
    NOT_CANCELED: _("still valid"),
    NOT_RETURNED: _("canceled, but not by a return"),
    REVOKED: _("code has been revoked, so the paper is dead"),
    SOLD_OUT: _("sold out"),
    BUSY: _("server was too busy"),
    FAILED: _("internal error"),
    GIFT_CARD: _("code is that of a gift card"),
    LOST: _("reported lost or stolen, so undo that first"),
    ALREADY_LOST: _("already reported lost or stolen"),
    NOT_LOST: _("not reported lost or stolen"),
    NOT_STATED: _("not on this statement any more"),
    SOLD: _("already sold"),
    STATED: _("on a statement"),
    SETTLED: _("already settled"),
    FIRM: _("bought by the seller when it was handed over"),
    NOT_SOLD: _("not declared as sold"),
    ALREADY_THERE: _("already there"),
    HELD_ELSEWHERE: _("somewhere else"),
    TEST_MODE: _("in test mode"),
}

#: What is said instead of ``UNKNOWN`` on the page of a batch.
OF_OTHER_BATCH = _("belongs to batch #{batch}")
