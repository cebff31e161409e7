"""One target under atheris, in a process of its own: `python -m tests.fuzz.child TARGET` and options of libFuzzer."""

import logging
import os
import sys

import atheris
import structlog


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name = sys.argv.pop(1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "sampan.settings",
        "SAMPAN_DATABASE_URL": "dbname=sampan",  # nothing connects
        "SAMPAN_SECRET": "the tests' secret",
    }
    with atheris.instrument_imports(include=["sampan"]):
        import django

        django.setup()
        from tests.fuzz.targets import TARGETS
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
