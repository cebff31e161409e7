"""Octets of a mail → characters, by the name of their charset: what writes mails names it loosely."""

import codecs

from sampan.reasons import Reason, Refused

# A name as mails have it → Python's codecs to try in turn. Each is read as what also holds its later additions: Hong
# Kong's characters stand in mails that say Big5, and GB18030 in those that say GB2312 (WHATWG Encoding §4.2).
CODECS: dict[str, tuple[str, ...]] = {
    "": ("utf-8", "cp1252"),
    "us-ascii": ("utf-8", "cp1252"),
    "ascii": ("utf-8", "cp1252"),
    "unknown-8bit": ("utf-8", "cp1252"),
    "iso-8859-1": ("cp1252", "latin-1"),
    "latin1": ("cp1252", "latin-1"),
    "windows-1252": ("cp1252", "latin-1"),
    "big5": ("big5hkscs", "cp950"),
    "cn-big5": ("big5hkscs", "cp950"),
    "big5-hkscs": ("big5hkscs", "cp950"),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "x-gbk": ("gb18030",),
    "iso-2022-jp": ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004"),
    "shift_jis": ("cp932",),
    "ks_c_5601-1987": ("cp949",),
    "euc-kr": ("cp949",),
}
LONGEST_NAME = 40
# Python's codecs that are no charsets of mails. Of the first two the time grows with the square of the text.
NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"})


def decode(octets: bytes, charset: str) -> str:
    """The characters. Raises Refused(BAD_TEXT) with the charset's name: a text is never guessed nor cut."""
    name = charset.strip("\"' \t").lower()[:LONGEST_NAME]
    for codec in CODECS.get(name, (name,)):
        try:
            if codecs.lookup(codec).name not in NO_CHARSETS:
                return octets.decode(codec)
        except (LookupError, UnicodeError, ValueError):
            continue
    raise Refused(Reason.BAD_TEXT, "text", name or "us-ascii")
