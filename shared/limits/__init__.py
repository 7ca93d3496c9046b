"""Rate limits of what a service does for anybody: so many times in so many seconds, by key.

Service -> ``RateLimiter.hit(limit, key)`` -> counters in Redis, which all processes share, or in
this process. Limits are values, made of settings (``"20/60"``); what is counted together is the
limit's name and the key.
"""

from shared.limits.errors import RateLimitedError
from shared.limits.limiter import RateLimiter
from shared.limits.rates import RateLimit, RateSetting

__all__ = ["RateLimit", "RateLimitedError", "RateLimiter", "RateSetting"]
