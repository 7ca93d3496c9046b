"""A Federation v2 router: composes subgraphs, plans operations over them, runs the plans, serves
the result.

It knows nothing of socialnet and can be run in front of any set of Federation subgraphs (``python
-m router``).
"""
