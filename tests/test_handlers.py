"""Every function that the environment makes has a handler under the path that Lambda is told."""

from importlib import import_module

import pytest
from shoplake_core.names import FunctionName
from shoplake_infra.functions import handler_path


@pytest.mark.parametrize("name", FunctionName)
def test_a_functions_handler_is_there(name):
    module, _, function = handler_path(name).rpartition(".")
    assert callable(getattr(import_module(module), function))
