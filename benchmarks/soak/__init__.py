"""Memory of a router process over time, under load, reloads and coming and going subscribers."""
