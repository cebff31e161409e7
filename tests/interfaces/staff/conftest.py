"""What the tests of the console share as fixtures."""

from tests.interfaces.portal.conftest import unknown_names_show

__all__ = ["unknown_names_show"]
