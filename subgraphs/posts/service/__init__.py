"""The rules of the posts domain: who may see a post, what a post may be, what happens together."""

from subgraphs.posts.service.posts import Draft, PostPage, PostService

__all__ = ["Draft", "PostPage", "PostService"]
