"""All figures that are published are of one run: those of the README are lines of the table in the docs."""

from benchmarks.publish import README, TABLE, highlights, with_highlights


def test_the_figures_in_the_readme_are_those_of_the_table():
    assert with_highlights(README.read_text(), TABLE.read_text()) == README.read_text()


RUN = """pretix 1, 2 cores

1,000 tickets                                     host    plugin   ratio
issuing, ms a ticket                              13.6      0.64     21×
issuing takes, s                                            0.64
** 200 cancellations by the host.

10,000 tickets                                    host    plugin   ratio
issuing, ms a ticket                              26.5      0.87     31×
  memory above the start, MB                       130      41.6      3×
issuing takes, s                                            8.69
  longest wait of others for the lock, s                    0.78
undoing that takes, s                                       11.2
  longest wait of others for the lock, s                    0.33
** 200 cancellations by the host.

All of this took 14.0 minutes.
"""


def test_another_run_replaces_all_of_them():
    shown = [
        "10,000 tickets                                    host    plugin   ratio",
        "issuing, ms a ticket                              26.5      0.87     31×",
        "issuing takes, s                                            8.69",
        "  longest wait of others for the lock, s                    0.78",
        "undoing that takes, s                                       11.2",
        "** 200 cancellations by the host.",
    ]
    assert highlights(RUN) == shown
    readme = "Figures::\n\n    10,000 tickets   host\n    issuing   1\n\nMore\n\nLicense\n"
    block = "\n".join(f"    {line}" for line in shown)
    assert with_highlights(readme, RUN) == f"Figures::\n\n{block}\n\nMore\n\nLicense\n"
