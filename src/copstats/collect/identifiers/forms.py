"""The forms of cells: for each a predicate on a text, in SQL, decided for thousands of cells at once.

The predicates read ``value`` (the text, its digits written 0 to 9 whatever the script), ``digits`` (how many
digits it has), ``words`` (how many words), ``lettered`` (nothing but letters and what stands in names) and
``cased`` (it has capital or small letters). Classes of Unicode are repeated without bounds and lengths are
compared apart, because the engine writes a bounded repetition out.
"""

# ruff: noqa: RUF001 - letters and signs of several scripts are meant

from __future__ import annotations

from collections.abc import Mapping

_DIGITS = "".join(
    chr(zero + digit)
    for zero in (0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0x17E0, 0x1040, 0xFF10)
    for digit in range(10)
)
"""Arabic, Persian, Devanagari, Bengali, Thai, Khmer, Burmese and fullwidth digits."""
LONGEST = 1000
"""So many characters of a cell are looked at."""
PLAIN = (
    f"CASE WHEN strlen(value) = length(value) THEN left(value, {LONGEST})"
    f" ELSE translate(left(value, {LONGEST}), '{_DIGITS}＋', '{'0123456789' * 8}+') END"
)
"""Only texts beyond ASCII can hold other digits; ``strlen`` counts bytes."""

_DATE = (
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}([ T].*)?"
    r"|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{4}([ ,T].*)?"
    r"|(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
    r"|[0-9]{1,2}[. ]+\p{L}{3,}\.?[ ,]+(de )?[0-9]{4}"
    r"|[0-9]{4} ?[年년] ?[0-9]{1,2} ?[月월] ?[0-9]{1,2} ?[日일]"
)
_IS_DATE = f"regexp_full_match(value, '{_DATE}')"
_YEAR = r"TRY_CAST(regexp_extract(value, '((?:19|20)[0-9]{2})', 1) AS INTEGER)"
_NUMBER = r"regexp_full_match(value, '[-+]?[0-9]*[.,]?[0-9]+([eE][-+]?[0-9]+)?')"
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
LETTERED = r"NOT regexp_matches(value, '[^\p{L}\p{M} ''’ʼ.·,\-]')"
CASED = r"regexp_matches(value, '[\p{Lu}\p{Ll}]') AND NOT regexp_matches(value, '\p{Georgian}')"
"""Georgian letters count as small ones in Unicode, and yet names are not written with capitals."""
_BYTE = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_LUHN = (
    "list_sum(list_transform(range(1, 16), lambda i: CASE WHEN i % 2 = 1 THEN substr(value, i, 1)::INTEGER"
    " ELSE [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][substr(value, i, 1)::INTEGER + 1] END)) % 10 = 0"
)

ANYWHERE: Mapping[str, str] = {
    # One such cell tells enough: they turn up in answers to open questions.
    "email": r"contains(value, '@') AND regexp_matches(value, '[^@\s]{1,64}@[^@\s]+\.\p{L}{2,}')",
    "url_or_handle": (
        r"regexp_matches(value, '(?i)https?://|www\.|(^|\s)@[\p{L}\p{N}_.]{3,}"
        r"|(^|[\s/])((t|wa)\.me|(facebook|instagram|tiktok|vk|twitter)\.com)/')"
    ),
    "phone_in_text": (
        r"digits BETWEEN 8 AND 15 AND words > 1 AND regexp_matches(value, '\p{L}')"
        r" AND regexp_matches(value, '(^|[^0-9A-Za-z_-])\+?[0-9][0-9 .()-]{6,}[0-9]($|[^0-9A-Za-z_-])')"
        f" AND NOT {_IS_DATE}"
    ),
}
"""Forms that are looked for in every cell."""

SIGNS = " OR ".join(f"contains(value, '{sign}')" for sign in "@/. ")
"""Without any of these signs a cell has none of the forms `ANYWHERE`; most cells of a survey have none."""

SHARES: Mapping[str, str] = {
    "number": _NUMBER,
    "fractional": rf"{_NUMBER} AND regexp_matches(value, '[.,][0-9]*[1-9]')",
    "deep": rf"{_NUMBER} AND regexp_matches(value, '[.,][0-9]{{3}}[0-9]*[1-9]')",
    "letters": "lettered",
    "text": r"regexp_matches(value, '\p{L}\p{L}')",
    "uuid": r"regexp_full_match(value, '(uuid:)?\{?[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}\}?')",
    "mac": "regexp_full_match(value, '[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}')",
    "imei": f"CASE WHEN regexp_full_match(value, '[0-9]{{15}}') THEN {_LUHN} ELSE false END",
    "ip": (
        rf"regexp_full_match(value, '({_BYTE}\.){{3}}{_BYTE}"
        "|([0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{0,4}')"
    ),
    # A plus, a bracket, a zero in front or signs between the digits; not an amount such as 1 234 567.
    "phone": (
        r"digits BETWEEN 6 AND 15 AND regexp_full_match(value, '[+(]?[0-9][0-9 ()./\-]{5,24}')"
        rf" AND NOT regexp_full_match(value, '[0-9]+|0?[.][0-9]+|[0-9]+[.][0-9]+') AND NOT {_IS_DATE}"
        r" AND NOT (digits <= 8 AND regexp_full_match(value, '[0-9]{1,3}([ .][0-9]{3})+'))"
        r" OR digits BETWEEN 8 AND 15 AND regexp_full_match(value, '0[0-9]+')"
    ),
    "long_number": (
        r"digits >= 7 AND length(value) <= 30"
        r" AND regexp_full_match(value, '[A-Za-zА-Я]*[0-9 ./\-]+[A-Za-zА-Я]?|[A-Za-z0-9/\-]+')"
        rf" AND NOT {_IS_DATE} AND NOT regexp_full_match(value, '[-+]?[0-9]+[.,][0-9]+')"
    ),
    "code": (
        r"digits >= 4 AND length(value) BETWEEN 5 AND 30"
        r" AND regexp_full_match(value, '[A-Za-zА-Я0-9 ./\-]+')"
    ),
    "bank_account": "digits >= 8 AND regexp_full_match(value, '[A-Z]{2}[0-9]{2} ?([A-Z0-9]{2,4} ?){3,8}')",
    "pair": (
        r"regexp_matches(value, '^[-+]?[0-9]{1,3}[.,][0-9]{4,}°?\s*[NSEW]?[ ,;]+"
        r"[-+]?[0-9]{1,3}[.,][0-9]{4,}')"
        r" OR regexp_matches(value, '[0-9]{1,3} ?° ?[0-9]{1,2}')"
    ),
    "date": _IS_DATE,
    "birth": f"{_IS_DATE} AND {_YEAR} BETWEEN $born_from AND $born_to",
    "clock": r"regexp_matches(value, '[0-9]{1,2}:[0-9]{2}:[0-9]{2}')",
    "moment": "CASE WHEN digits = 10 THEN TRY_CAST(value AS BIGINT) BETWEEN 1400000000 AND 2200000000 END",
    "address": (
        r"digits BETWEEN 1 AND 12 AND regexp_matches(value, '\p{L}\p{L}')"
        r" AND (words BETWEEN 2 AND 8 OR regexp_matches(value, '\p{Han}\p{Han}\p{Han}.*[0-9]'))"
        rf" AND NOT {_IS_DATE} AND NOT regexp_matches(value, '[;|]')"
    ),
    # Two words or more with capitals (particles between them may have none); or short words of a script
    # that knows no capitals; or one word with a capital.
    "full_name": (
        r"lettered AND words BETWEEN 2 AND 8 AND regexp_matches(value, '^\p{Lu}.*[ .]\p{Lu}')"
        r" AND NOT regexp_matches(value, ' \p{Ll}{5}')"
    ),
    "uncased_name": (
        r"lettered AND NOT cased AND words <= 5 AND length(value) BETWEEN 2 AND 40"
        r" AND (length(value) <= 4 OR NOT regexp_matches(value, '\p{Han}'))"
    ),
    "one_name": (
        r"lettered AND words = 1 AND length(value) BETWEEN 2 AND 25 AND regexp_matches(value, '^\p{Lu}')"
    ),
    "sentence": (
        rf"(words >= 4 OR words = 3 AND digits = 0 AND regexp_matches(value, '^\p{{Ll}}')"
        rf" OR length(value) >= 12 AND regexp_matches(value, '[{_UNSPACED}]{{6}}'))"
        r" AND regexp_matches(value, '\p{L}') AND NOT regexp_matches(value, '[;|]')"
    ),
}
"""Forms of which the share among a sample of the cells tells."""
