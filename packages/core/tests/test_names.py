"""Names that AWS and SQL take, whatever the environment is called."""

import re

import pytest
from shoplake_core.config import parse_project_config
from shoplake_core.errors import ConfigError
from shoplake_core.names import LOCAL_ACCOUNT, ResourceNames


def test_the_longest_environment_gives_names_that_buckets_and_sql_take():
    longest = parse_project_config("", where="x", environment="abcdefgh-1234567").environment
    names = ResourceNames(longest, LOCAL_ACCOUNT, "ap-northeast-1")
    for bucket in names.buckets:
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket), bucket
    for database in (names.bronze_database, names.silver_database, names.gold_database):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", database), database


@pytest.mark.parametrize("name", ["Prod", "a_b", "-a", "a-", "a--b", "1a", "a" * 17, "a-" * 8 + "b", "a.b"])
def test_an_environment_whose_resources_could_not_be_named_is_refused(name):
    with pytest.raises(ConfigError, match=r"project\.environment: .* up to 16"):
        parse_project_config("", where="x", environment=name)
