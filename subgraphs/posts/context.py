"""The context of one operation of the posts subgraph: who is calling, the service, loaders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from strawberry.types import Info
from typing_extensions import override

from shared.graphql import Authenticator, SubgraphContext
from subgraphs.posts.loaders import PostLoaders

if TYPE_CHECKING:
    from typing import Self

    from shared.sharding import Shards
    from subgraphs.posts.service import PostService

__all__ = ["PostsContext", "PostsInfo", "PostsServices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsServices:
    """What lives as long as the application: made at its start."""

    shards: Shards
    authenticator: Authenticator
    posts: PostService
    diagnostics: bool


class PostsContext(SubgraphContext):
    """Given to every resolver as ``info.context``."""

    def __init__(self, services: PostsServices) -> None:
        super().__init__(services.authenticator, diagnostics=services.diagnostics)
        self.services = services
        self._loaders: PostLoaders | None = None

    @property
    def loaders(self) -> PostLoaders:
        """The loaders of this operation, which see with the viewer's eyes."""
        if self._loaders is None:
            self._loaders = PostLoaders(self.services.shards, self.services.posts, self.viewer)
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


PostsInfo: TypeAlias = Info[PostsContext, None]
