from shoplake_engines.testing import mysql_server, mysql_server_factory, object_store, postgres_server  # noqa: F401
