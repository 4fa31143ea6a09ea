from hypothesis import given
from hypothesis import strategies as st
from shoplake_infra.diff import Absent, Change, applied, diff
from shoplake_infra.resource import Unknown

values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
properties = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@given(properties)
def test_equal_properties_do_not_differ(same):
    assert diff(same, same) == ()


@given(properties, properties)
def test_applying_the_changes_to_what_was_observed_gives_what_is_desired(desired, observed):
    changes = diff(desired, observed)
    result = applied(changes, observed)
    assert result == desired
    assert diff(desired, result) == ()


def test_a_change_names_the_path_and_both_values():
    assert diff({"a": {"b": 1, "c": 2}}, {"a": {"b": 0, "d": 3}}) == (
        Change(("a", "b"), 0, 1),
        Change(("a", "c"), Absent.ABSENT, 2),
        Change(("a", "d"), 3, Absent.ABSENT),
    )


def test_true_is_not_one():
    assert diff({"a": True}, {"a": 1}) == (Change(("a",), 1, True),)
    assert diff({"a": [True]}, {"a": [1]}) == (Change(("a",), [1], [True]),)


def test_what_is_not_known_yet_always_differs():
    unknown = Unknown("role r", "arn")
    assert diff({"a": unknown}, {"a": "arn:aws:iam::1:role/r"}) == (Change(("a",), "arn:aws:iam::1:role/r", unknown),)
