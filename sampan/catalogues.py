"""The catalogues of translations, compiled for gettext where they changed (docs/decisions/0027-translations.md).

What people edit is `locale/*/LC_MESSAGES/django.po`; gettext reads the .mo file beside it, which is made when a process
starts and finds that the other has changed, as Python does with its own files. Where that folder cannot be written, as
in an installed package of somebody else's, the .mo files lie in the data folder.
"""

import os
import tempfile
from pathlib import Path

READABLE = 0o644
SOURCE, COMPILED = "LC_MESSAGES/django.po", "LC_MESSAGES/django.mo"


def compiled(source: Path, otherwise: Path) -> Path:
    """The folder with the compiled catalogues of `source`, made now where they are missing or old."""
    old = [file for file in sorted(source.glob(f"*/{SOURCE}")) if _is_old(file, file.with_suffix(".mo"))]
    if all(os.access(file.parent, os.W_OK) for file in old):
        target = source
    else:
        target = otherwise
        old = [
            file
            for file in sorted(source.glob(f"*/{SOURCE}"))
            if _is_old(file, target / file.parent.parent.name / COMPILED)
        ]
    for file in old:
        _compile(file, target / file.parent.parent.name / COMPILED)
    return target


def _is_old(source: Path, target: Path) -> bool:
    """A compiled catalogue has the time of what it was made from, so that one made of half a file is made again."""
    return not target.exists() or target.stat().st_mtime_ns != source.stat().st_mtime_ns


def _compile(source: Path, target: Path) -> None:
    """Another process may do the same at this moment: each writes a file of its own, and the last one stays."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    changed_ns = source.stat().st_mtime_ns
    with source.open("rb") as file:
        catalogue = read_po(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as made:
        write_mo(made, catalogue)
    Path(made.name).chmod(READABLE)
    os.utime(made.name, ns=(changed_ns, changed_ns))
    Path(made.name).replace(target)
