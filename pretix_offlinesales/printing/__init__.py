"""
A batch becomes a PDF: the host's picture of every ticket, but each thing that tickets have in common stored once.

- What is printed: ``choice`` knows which tickets, ``plan`` where each of them comes, and ``tickets`` fetches them with
  all that layouts show. ``look`` remembers the layouts as they were when somebody asked for the print.
- A page is rendered: ``document`` finds the layout of a ticket, whose ``renderer`` renders the pages as the host does,
  on a ``canvas``. ``lines``, ``patterns``, ``qrcode`` and ``masks`` do what the host would take too long for.
- What lies below the tickets: ``background`` makes the PDF of a layout ready, with its ``layers`` that are off and its
  ``annotations``. ``wrapping`` makes one thing of each of its pages; ``appearances`` and ``fields`` draw annotations
  that do not say how they look (as ``sketch``es), by what ``annotated`` reads.
- A sheet is imposed: ``imposition`` knows how many tickets fit on it and where they lie, ``sheets`` what can be asked
  for, ``presets`` what one can buy. ``sheet_pages`` adds the sheets to the document: in each place one of the
  ``pieces``, laid there by ``laying``, and ``marks`` around. ``calibration`` tells by how much a printer is off.
- A file is written: workers print ``parts``, each into a ``part_file``. ``merging`` makes one PDF of all, which
  ``writing`` writes object by object.
- While somebody waits: ``specimen`` shows a ticket or a sheet before it is there, within ``limits``. ``faults`` says
  what is wrong with a layout, ``letters`` which its fonts lack, ``clearance`` which codes are too near to the edge.
- As data: ``data`` writes a table of the tickets for those who render them themselves, with ``code_pictures``.
- ``work`` does all that for a job, and ``log`` remembers what was printed.
"""
