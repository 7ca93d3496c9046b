"""Settings of a service, read from the environment (and ``.env`` in development)."""

from shared.settings.service import Environment, ServiceSettings, ShardEntry

__all__ = ["Environment", "ServiceSettings", "ShardEntry"]
