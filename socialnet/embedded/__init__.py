"""The embedded runtime: real PostgreSQL from a wheel, started and stopped with the program.

Read in this order: `account` (who runs postgres), `binaries` (which postgres), `guardian` (the
process that outlives a crash of ours by a moment, so that postgres does not outlive it for good),
`postgres` (one cluster), `folder` (what lies under `.socialnet/`).
"""
