"""Where pretix calls us."""
