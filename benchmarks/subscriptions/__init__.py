"""What a subscriber of the router costs: memory while idle, CPU for each pushed event."""
