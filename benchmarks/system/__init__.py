"""The system benchmark: services mode under load, with the same SQL on bare asyncpg as the floor.

`python -m benchmarks.system` starts everything (`__main__`), builds the workload (`operations`),
lets a process of its own produce the load (`worker`, with `http_load` and `sql_load`), reads the
CPU time of each service around it (`cpu`) and prints a table (`report`).
"""
