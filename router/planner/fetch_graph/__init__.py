"""The graph of subgraph requests while it is built, and the passes over it."""
