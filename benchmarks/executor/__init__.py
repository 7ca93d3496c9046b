"""Benchmarks of the executor."""
