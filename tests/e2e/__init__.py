"""The organizer's pages in a real browser, served by a real pretix with a worker."""
