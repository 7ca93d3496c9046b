"""The commands of `socialnet`, one module each; `socialnet.cli` puts them together.

A command parses its options and imports the rest when it runs, so that `--help` is quick.
"""
