import json

import pytest
from shoplake_core.errors import ConfigError
from shoplake_orchestration.binding import MOST_POLLS, bind

TEXT = '{"Topic": "${Topic}", "Wait": "{% ${Seconds} * 2 %}"}'


def test_every_token_is_replaced() -> None:
    bound = json.loads(bind(TEXT, {"Topic": "arn:x", "Seconds": "15"}))

    assert bound == {"Topic": "arn:x", "Wait": "{% 15 * 2 %}"}


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "${Seconds}", "\\1", "é"])
def test_a_value_arrives_as_it_is(value: str) -> None:
    assert json.loads(bind(TEXT, {"Topic": value, "Seconds": "1"}))["Topic"] == value


def test_missing_and_unused_tokens_are_all_named() -> None:
    with pytest.raises(ConfigError) as raised:
        bind(TEXT, {"Topik": "x", "Second": "1"})

    assert "without a value: Seconds, Topic; without a place: Second, Topik" in str(raised.value)
    assert raised.value.missing == ("Seconds", "Topic")  # type: ignore[attr-defined]


@pytest.mark.parametrize("polls", [str(MOST_POLLS + 1), "0", "many", "1.5"])
def test_more_polls_than_a_history_holds_are_refused(polls: str) -> None:
    assert bind("${MostPolls}", {"MostPolls": str(MOST_POLLS)}) == "699"
    with pytest.raises(ConfigError, match="from 1 to 699"):
        bind("${MostPolls}", {"MostPolls": polls})
