from shoplake_engines.testing import mysql_server, object_store  # noqa: F401 - session fixtures
