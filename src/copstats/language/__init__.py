"""Texts, numbers and dates in the six official languages of the United Nations.

English stands in the code and the definitions. Each other language has two gettext catalogues, one of a
framework version (``schemas/*/translations``) and one of the program (``messages/locale``).
"""

from copstats.language.catalogue import placeholders
from copstats.language.translations import LANGUAGES, N_, Translations, translations

__all__ = ["LANGUAGES", "N_", "Translations", "placeholders", "translations"]
