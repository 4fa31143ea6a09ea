from shoplake_engines.testing import mysql_server, mysql_server_factory  # noqa: F401
