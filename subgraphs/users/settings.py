"""Settings of the users subgraph: the common ones, and the key that signs access tokens."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import Field, HttpUrl, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.auth import PublicKey, SigningKey, TokenIssuer
from shared.errors import OperatorError
from shared.limits import RateLimit, RateSetting
from shared.settings import ServiceSettings
from subgraphs.users.repository import SendLimits
from subgraphs.users.service import AccountLimits, OtpRules, SessionPolicy
from subgraphs.users.sms import SmsGateway

__all__ = ["UsersSettings"]


class UsersSettings(ServiceSettings):
    """Read from ``USERS_*``. One of ``signing_key`` (PEM) and ``signing_key_file`` is needed."""

    model_config = SettingsConfigDict(env_prefix="USERS_")

    domain: ClassVar[str] = "users"

    signing_key: SecretStr | None = None
    signing_key_file: Path | None = None
    other_key_files: tuple[Path, ...] = ()
    token_issuer: str = "socialnet"  # noqa: S105 - a name
    token_audience: str = "socialnet"  # noqa: S105 - a name
    token_seconds: int = Field(default=900, ge=1)
    session_seconds: int = Field(default=30 * 24 * 3600, ge=1)
    refresh_grace_seconds: int = Field(default=10, ge=0)
    limit_register_address: RateSetting = "100/3600"
    limit_register_email: RateSetting = "20/3600"
    limit_login_address: RateSetting = "300/600"
    limit_login_email: RateSetting = "20/600"
    limit_refresh_address: RateSetting = "600/600"
    limit_refresh_session: RateSetting = "30/600"
    limit_search: RateSetting = "120/60"
    presence_seconds: int = Field(default=60, ge=1)
    limit_sync_contacts_user: RateSetting = "20/3600"
    limit_follow_user: RateSetting = "400/3600"
    limit_device_user: RateSetting = "60/3600"
    limit_request_otp_address: RateSetting = "30/3600"
    limit_verify_otp_address: RateSetting = "100/600"
    limit_password_user: RateSetting = "20/600"  # noqa: S105 - a limit
    erase_after_seconds: int = Field(default=30 * 24 * 3600, ge=0)
    otp_seconds: int = Field(default=300, ge=30, le=3600)
    otp_attempts: int = Field(default=5, ge=1, le=10)
    otp_sends: int = Field(default=5, ge=1, le=1000)
    otp_window_seconds: int = Field(default=3600, ge=1)
    otp_pause_seconds: int = Field(default=30, ge=0)
    sms_url: HttpUrl | None = None
    sms_token: SecretStr | None = None
    sms_sender: str | None = None
    sms_timeout: float = Field(default=5.0, gt=0)
    sms_attempts: int = Field(default=3, ge=1, le=10)

    def issuer(self) -> TokenIssuer:
        """The issuer of access tokens. Raises ``OperatorError`` when there is no usable key, or
        tokens would outlive the memory of their revocation.
        """
        if self.token_seconds > self.revocation_seconds:
            raise OperatorError(
                "USERS_REVOCATION_SECONDS must not be less than USERS_TOKEN_SECONDS"
            )
        return TokenIssuer(
            self._key(),
            issuer=self.token_issuer,
            audience=self.token_audience,
            others=self._other_keys(),
            ttl=timedelta(seconds=self.token_seconds),
        )

    def session_policy(self) -> SessionPolicy:
        """How long sessions live."""
        return SessionPolicy(
            life=timedelta(seconds=self.session_seconds),
            grace=timedelta(seconds=self.refresh_grace_seconds),
        )

    def follow_limit(self) -> RateLimit | None:
        """How often one user may follow somebody."""
        return RateLimit.of("follow_user", self.limit_follow_user)

    def account_limits(self) -> AccountLimits:
        """How often anybody may try to get an account, or into one."""
        return AccountLimits(
            register_address=RateLimit.of("register_address", self.limit_register_address),
            register_email=RateLimit.of("register_email", self.limit_register_email),
            login_address=RateLimit.of("login_address", self.limit_login_address),
            login_email=RateLimit.of("login_email", self.limit_login_email),
            refresh_address=RateLimit.of("refresh_address", self.limit_refresh_address),
            refresh_session=RateLimit.of("refresh_session", self.limit_refresh_session),
            request_otp_address=RateLimit.of("request_otp_address", self.limit_request_otp_address),
            verify_otp_address=RateLimit.of("verify_otp_address", self.limit_verify_otp_address),
            password_user=RateLimit.of("password_user", self.limit_password_user),
        )

    def otp_rules(self) -> OtpRules:
        """How long codes live, and how often they are sent and tried."""
        return OtpRules(
            life=timedelta(seconds=self.otp_seconds),
            max_attempts=self.otp_attempts,
            limits=SendLimits(
                sends=self.otp_sends,
                window=timedelta(seconds=self.otp_window_seconds),
                pause=timedelta(seconds=self.otp_pause_seconds),
            ),
        )

    def sms_gateway(self) -> SmsGateway | None:
        """Where text messages go; None: there is no gateway."""
        if self.sms_url is None:
            return None
        return SmsGateway(
            url=str(self.sms_url),
            token=None if self.sms_token is None else self.sms_token.get_secret_value(),
            sender=self.sms_sender,
            timeout=self.sms_timeout,
            attempts=self.sms_attempts,
        )

    def device_limit(self) -> RateLimit | None:
        """How often one user may register a device."""
        return RateLimit.of("device_user", self.limit_device_user)

    def _other_keys(self) -> tuple[PublicKey, ...]:
        keys = []
        for file in self.other_key_files:
            try:
                keys.append(PublicKey.from_pem(file.read_bytes()))
            except (OSError, ValueError) as error:
                raise OperatorError(f"the key in {file} cannot be read: {error}") from error
        return tuple(keys)

    def search_limit(self) -> RateLimit | None:
        """How often a user may search."""
        return RateLimit.of("search", self.limit_search)

    def sync_contacts_limit(self) -> RateLimit | None:
        """How often users may look up who is behind the numbers of their address books."""
        return RateLimit.of("sync_contacts_user", self.limit_sync_contacts_user)

    def _key(self) -> SigningKey:
        try:
            if self.signing_key is not None:
                return SigningKey.from_pem(self.signing_key.get_secret_value())
            if self.signing_key_file is not None:
                return SigningKey.from_pem(self.signing_key_file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise OperatorError(f"the signing key cannot be read: {error}") from error
        raise OperatorError("USERS_SIGNING_KEY or USERS_SIGNING_KEY_FILE must be set")
