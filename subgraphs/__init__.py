"""The domains: one Strawberry subgraph each. They never import one another."""
