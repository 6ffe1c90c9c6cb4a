"""An installation of the product with candidates in it, for faults and floods.

`installation` starts the parts and may kill them, `seats` draws the forms, `candidate` speaks HTTP
as a browser does, `chaos` and `deadline_race` are the fault tests; `benchmarks.saves` and
`benchmarks.starts` measure in the same hall.
"""
