"""Text that people type: made canonical, checked, refused with a clear error."""

from shared.text.clean import clean_text

__all__ = ["clean_text"]
