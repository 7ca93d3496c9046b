"""Inputs of the users subgraph's mutations, a module per subject."""

from subgraphs.users.inputs.accounts import LoginInput, RegisterInput
from subgraphs.users.inputs.privacy import PrivacySettingsInput
from subgraphs.users.inputs.profile import UpdateProfileInput

__all__ = ["LoginInput", "PrivacySettingsInput", "RegisterInput", "UpdateProfileInput"]
