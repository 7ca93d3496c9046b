"""Text that people type: made canonical, checked, refused with a clear error."""

from shared.text.clean import clean_text
from shared.text.fold import folded_words

__all__ = ["clean_text", "folded_words"]
