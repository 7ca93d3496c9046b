"""Benchmarks of composition and planning."""
