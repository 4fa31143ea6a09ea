import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for the module beside the tests

from console_browser import chromium, cloud, console, executions, gold, opened, workspace  # noqa: F401 - session fixtures
from shoplake_engines.testing import mysql_server, object_store  # noqa: F401 - session fixtures
from shoplake_local.testing import local_aws, postgres_server  # noqa: F401 - session fixtures
