"""Persisted documents: operations that clients name instead of sending their text.

``manifest`` reads the files of known documents, ``allow_list`` keeps them up to date and says which
texts may run, ``automatic`` remembers texts by hash (automatic persisted queries) in memory and,
with ``redis_store``, for all workers. The pipeline's stage ``identify`` puts them together.
"""
