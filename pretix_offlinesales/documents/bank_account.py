"""Where money is to be paid to: what the host's bank transfer tells customers."""

from django.utils.translation import gettext as _
from hierarkey.proxy import HierarkeyProxy
from i18nfield.strings import LazyI18nString

#: Of the settings of the host's bank transfer.
PREFIX = "payment_banktransfer_bank_details"


def account_in(settings: HierarkeyProxy) -> tuple[str, ...]:
    """
    A line each, in the present language. Empty, if nobody has said so.

    :param settings: of an event or organizer
    """
    return tuple(_lines(settings))


def _lines(settings):
    if settings.get(f"{PREFIX}_type") == "sepa":
        # The host's own words, in the host's own translation.
        labels = {"name": _("Account holder"), "iban": _("IBAN"), "bic": _("BIC"), "bank": _("Bank")}
        for name, label in labels.items():
            if value := settings.get(f"{PREFIX}_sepa_{name}"):
                yield f"{label}: {_in_fours(value) if name == 'iban' else value}"
    yield from str(settings.get(PREFIX, as_type=LazyI18nString) or "").splitlines()


def _in_fours(iban: str) -> str:
    plain = iban.replace(" ", "")
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))
