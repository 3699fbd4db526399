"""Rows in bulk, and questions about many tickets."""
