"""CPU time of the router as a server, from socket to socket."""
