from shoplake_engines.testing import mysql_server  # noqa: F401
from shoplake_local.testing import local_aws, object_store, postgres_server  # noqa: F401
