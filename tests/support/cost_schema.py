"""A supergraph of one subgraph with costs and list sizes of every kind."""

from router.supergraph import Supergraph, load_supergraph
from tests.support.router_server import SUPERGRAPH

__all__ = ["COSTLY", "costly_supergraph"]

COSTLY = """
type Query {
  name: String
  user(id: ID): User
  users: [User!]!
  some: [User] @listSize(assumedSize: 5)
  page(first: Int, last: Int): [User] @listSize(slicingArguments: ["first", "last"])
  lax(first: Int = 3, last: Int): [User]
    @listSize(slicingArguments: ["first", "last"], assumedSize: 7, requireOneSlicingArgument: false)
  feed(first: Int! = 4): Feed
    @listSize(slicingArguments: ["first"], sizedFields: ["nodes", "edges"])
  search(filter: Filter @cost(weight: 3), words: [String] @cost(weight: 2), any: Filter): Int
  things(first: Int): [Thing] @listSize(slicingArguments: ["first"])
  cheap(less: Int @cost(weight: -20)): User
}
type Mutation { post(text: String): User  bump: Int @cost(weight: 5) }
type Subscription { posted: User }
type User implements Named @cost(weight: 2) {
  name: String @cost(weight: 3)
  photo: Photo
  friends: [User]
  tags: [String] @listSize(assumedSize: 4)
}
type Photo implements Named { name: String @cost(weight: 6) url: Url }
interface Named { name: String }
union Thing = User | Photo
type Feed { nodes: [User] edges: [Edge!] total: Int }
type Edge { node: User cursor: String }
input Filter { text: String @cost(weight: 4) nested: Filter many: [Filter!] plain: Int }
scalar Url @cost(weight: 7)
"""

_DIRECTIVES = """
directive @cost(weight: Int!) on
  ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],
  requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
directive @look(how: Int @cost(weight: 9)) on FIELD
"""


def costly_supergraph(
    link: str = '@link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@listSize"])',
    definitions: str = COSTLY,
) -> Supergraph:
    """Load the supergraph, or another one with its definitions under another ``@link``."""
    head, _, _ = SUPERGRAPH.partition("\ntype Query")
    head = head.replace(
        '@link(url: "https://specs.apollo.dev/link/v1.0")',
        f'@link(url: "https://specs.apollo.dev/link/v1.0") {link}',
    )
    for root in ("Mutation", "Subscription"):
        if f"type {root}" not in definitions:
            head = head.replace(f" {root.lower()}: {root}", "")
    return load_supergraph(head + _DIRECTIVES + definitions)
