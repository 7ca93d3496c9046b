"""The composition root: command line, embedded runtime, demo data.

It imports everything; nothing imports it.
"""
