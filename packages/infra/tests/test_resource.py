import pytest
from shoplake_core.errors import ConfigError
from shoplake_infra.handler import handler_of, handlers
from shoplake_infra.resource import Ref, Resource, Unknown, in_creation_order, resolved


def thing(name, depends_on=(), **properties):
    return Resource(kind="thing", name=name, properties=properties, depends_on=depends_on)


def test_a_resource_comes_after_all_that_it_refers_to_or_depends_on():
    a, b = thing("a"), thing("b")
    c = thing("c", depends_on=("thing b",), nested=[{"deep": Ref(a, "arn")}])
    assert [resource.name for resource in in_creation_order((c, b, a))] == ["a", "b", "c"]


def test_a_circle_is_refused_with_its_members():
    with pytest.raises(ConfigError, match="thing a -> thing b -> thing a"):
        in_creation_order((thing("a", ("thing b",)), thing("b", ("thing a",))))


def test_a_need_that_is_not_desired_is_refused():
    with pytest.raises(ConfigError, match="thing a needs thing b, which is not desired"):
        in_creation_order((thing("a", ("thing b",)),))


def test_one_address_is_desired_once():
    with pytest.raises(ConfigError, match="thing a is desired twice"):
        in_creation_order((thing("a"), thing("a")))


def test_references_are_filled_in_where_they_are_known():
    a, b = thing("a"), thing("b")
    c = thing("c", known=[Ref(a, "arn")], later={"x": Ref(b, "arn")})
    assert resolved(c, {"thing a": {"arn": "A"}}).properties == {
        "known": ["A"],
        "later": {"x": Unknown("thing b", "arn")},
    }


def test_a_reference_to_an_attribute_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="thing a has no attribute 'arm'; it has arn"):
        resolved(thing("c", x=Ref(thing("a"), "arm")), {"thing a": {"arn": "A"}})


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"bucket, .*function, "):
        handler_of(thing("a"))


def test_every_handler_is_found_by_its_modules_name():
    modules = {kind: type(handler).__module__.rpartition(".")[2] for kind, handler in handlers().items()}
    assert modules.pop("object") == "stored_object"
    assert all(module == kind for kind, module in modules.items())


def test_a_reference_may_take_the_last_part_of_an_arn():
    task = Resource(kind="dms_task", name="t", properties={})
    alarm = Resource(kind="alarm", name="a", properties={"task": Ref(task, "arn", after=":")})
    known = {"dms_task t": {"arn": "arn:aws:dms:eu-central-1:1:task:ABC"}}
    assert resolved(alarm, known).properties == {"task": "ABC"}
    assert alarm.needs == {"dms_task t"}
