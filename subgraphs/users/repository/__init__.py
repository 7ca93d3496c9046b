"""All SQL of the users domain, a module per subject: sessions in, records out, no decisions."""

from subgraphs.users.repository.sessions import SessionRecord, SessionRepository
from subgraphs.users.repository.users import Credentials, UserRecord, UserRepository

__all__ = ["Credentials", "SessionRecord", "SessionRepository", "UserRecord", "UserRepository"]
