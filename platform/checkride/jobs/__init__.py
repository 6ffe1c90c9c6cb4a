"""Work that is done after a request: a row in a table is the job, Celery runs it.

Measured (architecture.md): Celery alone lost 8 of 600 jobs when workers were killed and 251 of 600
when the broker was killed as well. A job that is a row, resent until it is done, is not lost.
"""
