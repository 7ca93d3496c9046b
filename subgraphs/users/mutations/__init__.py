"""Mutations of the users subgraph, a module per subject. Thin: the rules are in the service."""

import strawberry

from subgraphs.users.mutations.accounts import AccountMutations
from subgraphs.users.mutations.blocks import BlockMutations
from subgraphs.users.mutations.contacts import ContactMutations
from subgraphs.users.mutations.devices import DeviceMutations
from subgraphs.users.mutations.follows import FollowMutations
from subgraphs.users.mutations.presence import PresenceMutations
from subgraphs.users.mutations.privacy import PrivacyMutations
from subgraphs.users.mutations.profile import ProfileMutations
from subgraphs.users.mutations.sessions import SessionMutations

__all__ = ["Mutation"]


@strawberry.type
class Mutation(
    PresenceMutations,
    AccountMutations,
    ProfileMutations,
    PrivacyMutations,
    SessionMutations,
    FollowMutations,
    ContactMutations,
    BlockMutations,
    DeviceMutations,
):
    """What can be done in the users domain."""
