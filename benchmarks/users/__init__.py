"""A hundred thousand users: how they spread, and what looking them up, finding and adding costs."""
