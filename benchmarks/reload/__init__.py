"""A reload seen from beside it: how long the event loop stands still, and what memory stays."""
