"""JSONata as Step Functions evaluates it: `{% ... %}` anywhere in a JSON value, with `$states` and the variables bound."""

import hashlib
import json
import math
import random
import uuid
from collections.abc import Mapping
from typing import Any

from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from shoplake_local.stepfunctions.faults import QueryError

__all__ = ["evaluated"]

_LONGEST_MILLISECONDS = 2000
_DEEPEST = 100
_EXACT_INTEGERS = 2**53
_LONGEST_RANGE = 1000
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def evaluated(template: Any, bindings: Mapping[str, Any], *, location: str) -> Any:
    """The template with every expression in it replaced by its value.

    Raises:
        QueryError: An expression has no value (undefined), is wrong, or takes too long or too deep.

    """
    if isinstance(template, str):
        is_query = template.startswith("{%") and template.endswith("%}")
        return _queried(template[2:-2].strip(), bindings, location) if is_query else template
    if isinstance(template, Mapping):
        return {key: evaluated(value, bindings, location=f"{location}/{key}") for key, value in template.items()}
    if isinstance(template, list):
        return [evaluated(value, bindings, location=f"{location}[{n}]") for n, value in enumerate(template)]
    return template


def _queried(query: str, bindings: Mapping[str, Any], location: str) -> Any:
    try:
        expression = Jsonata(query)
        expression.set_output_convert_nulls(False)
        frame = expression.create_frame()
        frame.set_runtime_bounds(_LONGEST_MILLISECONDS, _DEEPEST)
        for name, function in _FUNCTIONS.items():
            frame.bind(name, Jsonata.JLambda(function))
        for name, value in bindings.items():
            frame.bind(name, _with_nulls(value))
        value = expression.evaluate(None, frame)
    except Exception as error:
        # the package raises errors of its own beside ZeroDivisionError, ValueError, TypeError and RecursionError
        raise QueryError(f"The JSONata expression '{query}' failed: {_text(error)}", location) from error
    if value is None:
        raise QueryError(f"The JSONata expression '{query}' returned nothing (undefined).", location)
    return _as_json(value, query, location)


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


def _with_nulls(value: Any) -> Any:
    """The package takes None for undefined and has a mark of its own for null."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, Mapping):
        return {key: _with_nulls(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_nulls(member) for member in value]
    return value


def _as_json(value: Any, query: str, location: str) -> Any:
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        # JSONata has one kind of number: 2.0 is written 2
        return int(value) if value.is_integer() and abs(value) < _EXACT_INTEGERS else value
    if isinstance(value, Mapping):
        return {str(key): _as_json(member, query, location) for key, member in value.items()}
    if isinstance(value, list | tuple | range):
        return [_as_json(member, query, location) for member in value]
    raise QueryError(f"The JSONata expression '{query}' returned a {type(value).__name__}, no JSON value.", location)


def _partition(values: Any, size: Any = None) -> Any:
    if not isinstance(values, list) or not isinstance(size, int | float) or size < 1:
        raise ValueError("$partition takes an array and a size of at least 1")
    step = int(size)
    return [values[start : start + step] for start in range(0, len(values), step)]


def _range(first: Any, last: Any = None, step: Any = None) -> Any:
    low, high, by = int(first), int(last), int(step)
    if by == 0:
        raise ValueError("$range: the step must not be 0")
    numbers = range(low, high + (1 if by > 0 else -1), by)
    if len(numbers) > _LONGEST_RANGE:
        raise ValueError(f"$range gives {len(numbers)} numbers; at most {_LONGEST_RANGE} are allowed")
    return list(numbers)


def _hash(value: Any, algorithm: Any = None) -> Any:
    if algorithm not in _HASHES:
        raise ValueError(f"$hash knows {', '.join(_HASHES)}")
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return hashlib.new(_HASHES[algorithm], text.encode()).hexdigest()


def _random(seed: Any = None) -> Any:
    return random.Random(seed).random()  # noqa: S311 - JSONata's $random, not a secret


def _uuid() -> Any:
    return str(uuid.uuid4())


def _parse(text: Any) -> Any:
    return _with_nulls(json.loads(text))


def _eval(*_arguments: Any) -> Any:
    raise ValueError("Step Functions has no $eval; use $parse for JSON")


_FUNCTIONS = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": _random,
    "uuid": _uuid,
    "parse": _parse,
    "eval": _eval,
}
