"""PostgreSQL and Redis from their wheels, run as children of our own processes.

Used when `DATABASE_URL` or `REDIS_URL` is not set: by `make serve`, by the tests and by a
`manage.py` command run by hand. Nothing here imports Django, so that settings can ask for paths.
"""
