"""
Real processes, and what happens to them: pretix under gunicorn, Celery workers, PostgreSQL and Redis. See
``settings`` for what it takes, and ``docs/development.rst`` for how to run it.
"""
