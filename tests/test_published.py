"""All figures that are published are of one run: those of the README are lines of the table in the docs."""

from benchmarks.publish import README, TABLE, highlights, with_highlights


def test_the_figures_in_the_readme_are_those_of_the_table():
    assert with_highlights(README.read_text(), TABLE.read_text()) == README.read_text()


RUN = """pretix 1, 2 cores

1,000 tickets, in an event that has 1,000                 host    plugin     ratio our CPU s
issuing, ms a ticket                                      13.6      0.64       21×      0.50
  takes, s                                                          0.64                0.50

All of this took 1.0 minutes.

pretix 1, 2 cores

10,000 tickets, in an event that has 320,000              host    plugin     ratio our CPU s
issuing, ms a ticket                                      26.5      0.87       30×      5.10
  takes, s                                                          8.69                5.10
  longest wait of others for the lock, s                            0.78
undoing returns, ms a ticket                              50.1      1.10       46×      6.00
  longest wait of others for the lock, s                            0.33

10,000 tickets, ms a ticket, in an event of              1,000    10,000
issuing                                                   0.50      0.51

All of this took 14.0 minutes.
"""


def test_another_run_replaces_all_of_them():
    shown = [
        "10,000 tickets, in an event that has 320,000              host    plugin     ratio our CPU s",
        "issuing, ms a ticket                                      26.5      0.87       30×      5.10",
        "  longest wait of others for the lock, s                            0.78",
        "undoing returns, ms a ticket                              50.1      1.10       46×      6.00",
    ]
    assert highlights(RUN) == shown
    readme = "Figures::\n\n    10,000 tickets, in an event that has 9   host\n    issuing   1\n\nMore\n\nLicense\n"
    block = "\n".join(f"    {line}" for line in shown)
    assert with_highlights(readme, RUN) == f"Figures::\n\n{block}\n\nMore\n\nLicense\n"
