"""A plugin that can't be imported: it needs a module that nobody has."""

import a_module_that_nobody_has  # noqa: F401
