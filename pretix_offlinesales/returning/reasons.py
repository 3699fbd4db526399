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
#: The codes on the paper are on the revocation list: it needs replacing.
REVOKED = "revoked"
SOLD_OUT = "sold_out"
#: Somebody else held the quota for too long.
BUSY = "busy"
#: Another plugin raised an error when it heard of it.
FAILED = "failed"

# Of tickets that shall get new codes:
GIFT_CARD = "gift_card"

#: What is said to people.
TEXTS = {
    UNKNOWN: _("unknown"),
    AMBIGUOUS: _("could be two different tickets"),
    ALREADY_CANCELED: _("already canceled"),
    CHECKED_IN: _("checked in"),
    CHANGED: _("order has been changed"),
    GIFT_CARD_USED: _("gift card has been used"),
    NOT_CANCELED: _("still valid"),
    REVOKED: _("code has been revoked, the ticket needs replacing"),
    SOLD_OUT: _("sold out"),
    BUSY: _("server was too busy"),
    FAILED: _("internal error"),
    GIFT_CARD: _("code is that of a gift card"),
}
