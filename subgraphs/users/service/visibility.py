"""What one viewer may see of one user: decided here, once, for every path that leads to the user.

``present`` (profiles) makes the profile of it; whatever else belongs to a user (presence, lists of
followers) asks the profile, and decides nothing anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.auth import Scope
from subgraphs.users.repository import Regard
from subgraphs.users.tables import AccountStatus, Visibility

if TYPE_CHECKING:
    from shared.auth import Viewer
    from subgraphs.users.repository import SeenUser, UserRecord

__all__ = ["Sight", "own_sight", "sight_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What of a user a viewer sees.

    listed: look-ups and lists find the user. Who is not listed still renders as a stub where
        something refers to them (the author of a post).
    profile: name, handle and what else is nobody's secret; False: a stub.
    last_seen: whether and when the user is online.
    """

    listed: bool
    profile: bool
    email: bool = False
    phone: bool = False
    about: bool = False
    photo: bool = False
    last_seen: bool = False


_OWN = Sight(
    listed=True, profile=True, email=True, phone=True, about=True, photo=True, last_seen=True
)
_STUB = Sight(listed=True, profile=False)
_HIDDEN = Sight(listed=False, profile=False)


def own_sight(user: UserRecord) -> Sight:
    """What users see of themselves: all, as long as the account is not deleted."""
    return _STUB if user.status is AccountStatus.DELETED else _OWN


def sight_of(seen: SeenUser, viewer: Viewer) -> Sight:
    """What the viewer sees of this user.

    Administrators (``users:admin``) see accounts that are deactivated or have blocked them, with
    biography and photo whatever the settings, because they moderate them; e-mail, phone and
    presence are as private to them as to others.
    """
    user, regard = seen.user, seen.regard
    if viewer.is_user(user.id):
        return own_sight(user)
    if user.status is AccountStatus.DELETED:
        return _STUB
    if viewer.has_scope(Scope.USERS_ADMIN):
        return _moderation(user, regard)
    if user.status is AccountStatus.DEACTIVATED:
        return _HIDDEN
    if regard.blocks:
        return _STUB
    return Sight(
        listed=True,
        profile=True,
        phone=regard.has_as_contact,
        about=_admits(user.privacy.about, regard),
        photo=_admits(user.privacy.profile_photo, regard),
        last_seen=_admits(user.privacy.last_seen, regard),
    )


def _moderation(user: UserRecord, regard: Regard) -> Sight:
    known = Regard() if regard.blocks else regard
    return Sight(
        listed=True,
        profile=True,
        phone=known.has_as_contact,
        about=True,
        photo=True,
        last_seen=not regard.blocks and _admits(user.privacy.last_seen, regard),
    )


def _admits(setting: Visibility, regard: Regard) -> bool:
    """Contacts are those whom the user has as a contact, not those who have the user as one."""
    match setting:
        case Visibility.EVERYONE:
            return True
        case Visibility.CONTACTS:
            return regard.has_as_contact
        case Visibility.NOBODY:
            return False
