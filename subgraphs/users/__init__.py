"""users: accounts, sign-in, profiles. A user lives on the slot of the first identity."""
