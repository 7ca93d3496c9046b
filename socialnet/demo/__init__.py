"""Demo data: the people and posts that a fresh installation begins with.

`topics` holds the words, `texts` makes sentences of them, `people` invents users, `dataset` puts
users and posts on a time line, `load` writes them to the shards. Everything but `load` is pure: the
same seed and the same anchor in time give the same rows.
"""
