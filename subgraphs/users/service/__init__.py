"""The rules of the users domain: what may be entered, who may see what, what happens together."""

from subgraphs.users.service.accounts import AccountService, Login, Registration, SignedIn
from subgraphs.users.service.profiles import Profile, ProfileChange, ProfileService

__all__ = [
    "AccountService",
    "Login",
    "Profile",
    "ProfileChange",
    "ProfileService",
    "Registration",
    "SignedIn",
]
