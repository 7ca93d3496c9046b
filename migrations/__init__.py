"""Alembic migrations, one environment per domain."""
