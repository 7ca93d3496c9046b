from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.auth import Viewer
from shared.sharding import EntityId, Slot
from subgraphs.users.repository import PrivacyRecord, Regard, SeenUser, UserRecord
from subgraphs.users.service.profiles import present, present_own
from subgraphs.users.service.visibility import Sight, sight_of
from subgraphs.users.tables import AccountStatus, Visibility

ADA = UserRecord(
    id=EntityId.new(Slot(1)),
    email="ada@example.com",
    phone="+4917012345678",
    handle="ada",
    display_name="Ada",
    bio="Analyst",
    avatar_media_id=str(EntityId.new(Slot(1))),
    status=AccountStatus.ACTIVE,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
STRANGER, CONTACT = Regard(), Regard(has_as_contact=True)
BLOCKED = Regard(blocks=True, has_as_contact=True)


def _viewer(user_id: EntityId | None = None, *scopes: str) -> Viewer:
    return Viewer(
        user_id=user_id or EntityId.new(Slot(2)),
        scopes=frozenset(scopes),
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )


def _open_to(setting: Visibility) -> UserRecord:
    return replace(
        ADA, privacy=PrivacyRecord(last_seen=setting, profile_photo=setting, about=setting)
    )


@pytest.mark.parametrize(
    ("setting", "stranger", "contact"),
    [
        (Visibility.EVERYONE, True, True),
        (Visibility.CONTACTS, False, True),
        (Visibility.NOBODY, False, False),
    ],
)
@pytest.mark.parametrize("part", ["about", "photo", "last_seen"])
def test_each_setting_admits_whom_it_says(
    part: str, setting: Visibility, stranger: bool, contact: bool
) -> None:
    user = _open_to(setting)

    assert getattr(sight_of(SeenUser(user, STRANGER), _viewer()), part) is stranger
    assert getattr(sight_of(SeenUser(user, CONTACT), _viewer()), part) is contact
    assert getattr(sight_of(SeenUser(user, STRANGER), _viewer(user.id)), part) is True


def test_the_settings_are_independent_of_each_other() -> None:
    privacy = PrivacyRecord(about=Visibility.NOBODY, last_seen=Visibility.CONTACTS)

    sight = sight_of(SeenUser(replace(ADA, privacy=privacy), STRANGER), _viewer())

    assert (sight.about, sight.photo, sight.last_seen) == (False, True, False)


def test_email_is_ones_own_and_the_phone_also_for_contacts() -> None:
    own = present(SeenUser(ADA, STRANGER), _viewer(ADA.id))
    contact = present(SeenUser(ADA, CONTACT), _viewer())
    stranger = present(SeenUser(ADA, STRANGER), _viewer())

    assert (own.email, own.phone) == (ADA.email, ADA.phone)
    assert (contact.email, contact.phone) == (None, ADA.phone)
    assert (stranger.email, stranger.phone) == (None, None)


def test_a_block_outweighs_being_a_contact() -> None:
    profile = present(SeenUser(ADA, BLOCKED), _viewer())

    assert (profile.id, profile.handle) == (ADA.id, "unavailable")
    assert profile.sight == Sight(listed=True, profile=False)
    assert (profile.display_name, profile.bio) == ("", "")
    assert (profile.avatar_media_id, profile.email, profile.phone) == (None, None, None)


@pytest.mark.parametrize("regard", [STRANGER, CONTACT, BLOCKED])
@pytest.mark.parametrize("scope", ["none", "users:admin"])
def test_a_deleted_user_is_a_nameless_stub_to_everybody(regard: Regard, scope: str) -> None:
    deleted = replace(ADA, status=AccountStatus.DELETED)

    profiles = [present(SeenUser(deleted, regard), _viewer(None, scope)), present_own(deleted)]

    for profile in profiles:
        assert (profile.handle, profile.display_name, profile.bio) == ("deleted", "", "")
        assert (profile.avatar_media_id, profile.email, profile.phone) == (None, None, None)
        assert profile.status is AccountStatus.DELETED
        assert profile.sight == Sight(listed=True, profile=False)


def test_a_deactivated_user_is_hidden_from_others_alone() -> None:
    paused = replace(ADA, status=AccountStatus.DEACTIVATED)

    other = present(SeenUser(paused, CONTACT), _viewer())
    own = present(SeenUser(paused, STRANGER), _viewer(ADA.id))
    admin = present(SeenUser(paused, STRANGER), _viewer(None, "users:admin"))

    assert other.sight == Sight(listed=False, profile=False)
    assert other.handle == "unavailable"
    assert (own.handle, own.email, own.sight.listed) == ("ada", ADA.email, True)
    assert (admin.handle, admin.status) == ("ada", AccountStatus.DEACTIVATED)


def test_administrators_see_what_they_moderate_and_nothing_private() -> None:
    user = _open_to(Visibility.NOBODY)
    admin = _viewer(None, "users:admin")

    for regard in (STRANGER, BLOCKED):
        profile = present(SeenUser(user, regard), admin)

        assert (profile.handle, profile.bio) == ("ada", "Analyst")
        assert profile.avatar_media_id == ADA.avatar_media_id
        assert (profile.email, profile.phone) == (None, None)
        assert profile.sight.last_seen is False


def test_a_machine_is_a_stranger() -> None:
    machine = Viewer(user_id=None, expires_at=datetime.now(UTC) + timedelta(hours=1))

    sight = sight_of(SeenUser(_open_to(Visibility.CONTACTS), STRANGER), machine)

    assert sight == Sight(listed=True, profile=True)
