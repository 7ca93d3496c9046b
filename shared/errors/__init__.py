"""The catalogue of error codes and the one exception that carries them to the client."""

from shared.errors.codes import ErrorCode
from shared.errors.errors import BadUserInputError, OperatorError, SocialnetError

__all__ = ["BadUserInputError", "ErrorCode", "OperatorError", "SocialnetError"]
