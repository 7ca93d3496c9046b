"""How a test goes each way of ``matrix.md``: an operation, and what has to be so before it.

Operations may use the variables below and the fragment `seen`, which has all fields of User.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

VARIABLES = {
    "x": "ID!",  # the ID of X
    "handle": "String!",
    "y": "ID!",  # somebody who follows X, and whom X follows
    "email": "String!",  # the viewer's
    "newEmail": "String!",
    "phone": "String!",  # X's
    "newPhone": "String!",
    "bio": "String!",
    "references": "[_Any!]!",
    "session": "ID!",  # one of X's
    "device": "ID!",  # one of X's
    "unique": "String!",  # a handle that nobody has
}


@dataclass(frozen=True, slots=True)
class Way:
    """An operation by its selection; ``before`` is one that each viewer runs first. ``without`` are
    fields of User that it is not asked for: it changes them by and by, or they need a token that
    it only gives out. ``only`` are the fields of User that an answer without users has.
    """

    selection: str
    kind: str = "query"
    before: Way | None = None
    without: frozenset[str] = frozenset()
    only: frozenset[str] | None = None

    @property
    def operation(self) -> str:
        """The operation's text, without the fragment."""
        used = [name for name in VARIABLES if re.search(rf"\${name}\b", self.selection)]
        declared = ", ".join(f"${name}: {VARIABLES[name]}" for name in used)
        return f"{self.kind} {f'({declared})' if used else ''} {{ {self.selection} }}"

    @property
    def variables(self) -> set[str]:
        """The names of the variables that it takes."""
        return {name for name in VARIABLES if re.search(rf"\${name}\b", self.selection)}

    def asked(self, fields: Iterable[str]) -> set[str]:
        """Those of these fields of User that it is asked for."""
        asked = set(fields) - self.without
        return asked if self.only is None else asked & self.only

    @property
    def reaches_user(self) -> bool:
        """Whether the answer has users, or a field of one."""
        return "...seen" in self.selection or self.only is not None


def _mutation(selection: str, *without: str, before: Way | None = None) -> Way:
    return Way(selection, "mutation", before, frozenset(without))


VIEWERS_OWN = ("isFollowedByMe", "followsMe", "isContact", "isBlockedByMe")
"""Fields of User that tell what the viewer has with the user."""

_NEED_A_TOKEN = ("presence", "followers", "following", *VIEWERS_OWN)
_BLOCK = _mutation("blockUser(userId: $x) { ...seen }")

WAYS = {
    "me": Way("me { ...seen }"),
    "user": Way("user(id: $x) { ...seen }"),
    "users": Way("users(ids: [$x]) { ...seen }"),
    "userByHandle": Way("userByHandle(handle: $handle) { ...seen }"),
    "_entities": Way("_entities(representations: $references) { ...seen }"),
    "allUsers": Way("allUsers(first: 100) { nodes { ...seen } edges { node { ...seen } } }"),
    "searchUsers": Way("searchUsers(query: $handle) { nodes { ...seen } }"),
    "shardStats": Way("shardStats { __typename }"),
    "presenceChanged": Way(
        "presenceChanged(userIds: [$x]) { userId isOnline lastSeen }",
        "subscription",
        only=frozenset({"presence"}),
    ),
    "heartbeat": _mutation("heartbeat { userId }"),
    # everybody has added X before X has blocked anybody
    "contacts": Way("contacts { nodes { user { ...seen } } edges { node { user { ...seen } } } }"),
    "blockedUsers": Way("blockedUsers { nodes { ...seen } }", before=_BLOCK),
    "privacySettings": Way("privacySettings { lastSeen }"),
    "register": _mutation(
        'register(input: {email: $newEmail, handle: $unique, password: "correct horse 1",'
        ' displayName: "New"}) { user { ...seen } }',
        *_NEED_A_TOKEN,
    ),
    "login": _mutation(
        'login(input: {email: $email, password: "correct horse 1"}) { user { ...seen } }',
        *_NEED_A_TOKEN,
    ),
    "requestOtp": _mutation("requestOtp(phone: $newPhone) { expiresIn }"),
    "verifyOtp": _mutation('verifyOtp(phone: $phone, code: "000000") { user { ...seen } }'),
    "linkEmail": _mutation('linkEmail(email: $newEmail, password: "correct horse 1") { ...seen }'),
    "changePassword": _mutation(
        'changePassword(currentPassword: "correct horse 1", newPassword: "correct horse 2")'
    ),
    "deactivateAccount": _mutation("deactivateAccount"),
    "deleteAccount": _mutation('deleteAccount(password: "correct horse 1")'),
    "refreshSession": _mutation('refreshSession(refreshToken: "forged") { user { ...seen } }'),
    "sessions": Way("sessions { id }"),
    "logout": _mutation("logout"),
    "logoutEverywhere": _mutation("logoutEverywhere"),
    "revokeSession": _mutation("revokeSession(id: $session)"),
    "devices": Way("devices { id }"),
    "registerDevice": _mutation("registerDevice(token: $unique, platform: WEB) { id }"),
    "removeDevice": _mutation("removeDevice(id: $device)"),
    "updateProfile": _mutation("updateProfile(input: {bio: $bio}) { ...seen }"),
    "updatePrivacySettings": _mutation(
        "updatePrivacySettings(input: {readReceipts: false}) { readReceipts }"
    ),
    "addContact": _mutation("addContact(userId: $x) { user { ...seen } }"),
    "syncContacts": _mutation("syncContacts(phones: [$phone]) { user { ...seen } }"),
    "removeContact": _mutation("removeContact(userId: $x)"),
    "follow": _mutation("follow(userId: $x) { ...seen }", "followers", "followerCount"),
    "unfollow": _mutation("unfollow(userId: $x) { ...seen }"),
    "User.followers": Way("user(id: $y) { followers { nodes { ...seen } } }"),
    "User.following": Way("user(id: $y) { following { nodes { ...seen } } }"),
    "blockUser": _BLOCK,
    "unblockUser": _mutation("unblockUser(userId: $x) { ...seen }", before=_BLOCK),
}
