"""What one reads on the organizer's pages."""

from bs4 import BeautifulSoup


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.content.decode(), "lxml")  # of bytes, it would guess the encoding, which takes long


def words(element) -> str:
    """What one reads, on one line."""
    return " ".join(element.get_text(" ").split())


def rows(response) -> list[list[str]]:
    """The cells of the page's table."""
    others = ".offlinesales-figures, .offlinesales-stock-rows, .offlinesales-documents"
    found = soup(response).select(f"table:not({others}) tbody tr")
    return [[words(cell) for cell in row.select("td")] for row in found]


def figures_shown(response) -> list[list[str]]:
    """The rows of its small tables, of figures and entries over time."""
    found = soup(response).select(".offlinesales-figures tbody tr")
    return [[words(cell) for cell in row.select("th, td")] for row in found]


def shown(response) -> dict[str, str]:
    """What the page's definition lists say."""
    lists = soup(response).select("#page-wrapper dl.dl-horizontal") or soup(response).select("dl")
    return {
        words(term): words(value)
        for one in lists
        for term, value in zip(one.select("dt"), one.select("dd"), strict=True)
    }


def errors(response) -> dict[str, list[str]]:
    """Which fields of the form are wrong, and why."""
    return {
        group.select_one("[name]")["name"]: [words(message) for message in group.select(".help-block")][:1]
        for group in soup(response).select(".form-group.has-error")
    }


def alerts(response) -> list[str]:
    return [words(alert) for alert in soup(response).select(".alert")]
