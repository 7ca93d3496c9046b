"""The context of one operation of the users subgraph: who is calling, services, loaders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from strawberry.types import Info
from typing_extensions import override

from shared.graphql import Authenticator, SubgraphContext
from subgraphs.users.loaders import UserLoaders

if TYPE_CHECKING:
    from typing import Self

    from shared.sharding import Shards
    from subgraphs.users.repository import StandingRepository
    from subgraphs.users.service import (
        AccountService,
        BlockService,
        ContactService,
        ContactSyncService,
        CredentialService,
        DeviceService,
        ErasedUsers,
        ErasureService,
        FollowListService,
        FollowService,
        LifecycleService,
        OtpService,
        PhoneService,
        PresenceService,
        PrivacyService,
        ProfileService,
        SearchService,
        SessionService,
        StatsService,
    )

__all__ = ["UsersContext", "UsersInfo", "UsersServices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersServices:
    """What lives as long as the application: made at its start."""

    shards: Shards
    authenticator: Authenticator
    accounts: AccountService
    follows: FollowService
    follow_lists: FollowListService
    contacts: ContactService
    contact_sync: ContactSyncService
    blocks: BlockService
    devices: DeviceService
    phones: PhoneService
    credentials: CredentialService
    lifecycle: LifecycleService
    erasure: ErasureService
    erased_users: ErasedUsers
    otp: OtpService
    profiles: ProfileService
    search: SearchService
    privacy: PrivacyService
    presence: PresenceService
    sessions: SessionService
    standings: StandingRepository
    stats: StatsService
    diagnostics: bool


class UsersContext(SubgraphContext):
    """Given to every resolver as ``info.context``."""

    def __init__(self, services: UsersServices) -> None:
        super().__init__(services.authenticator, diagnostics=services.diagnostics)
        self.services = services
        self._loaders: UserLoaders | None = None

    @property
    def loaders(self) -> UserLoaders:
        """The loaders of this operation, which see with the viewer's eyes."""
        if self._loaders is None:
            self._loaders = UserLoaders(self.services, self.viewer)
        return self._loaders

    @property
    @override
    def slots(self) -> int:
        return self.services.shards.topology.slots

    @override
    def forget_loaded(self) -> None:
        self._loaders = None

    @override
    def _copy(self) -> Self:
        return type(self)(self.services)


UsersInfo: TypeAlias = Info[UsersContext, None]
