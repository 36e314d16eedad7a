"""Python: dataclasses, and a class with a method for each operation, twice."""

import json

from .document import constant, is_kept, page_member, snake
from .text import WIDTH, fill, hash_doc, listed, quoted_doc, shown

PY_MODELS = '''\
"""The models of the API. $NOTICE"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence

from ._values import UNSET, Duration, Model, Moment, each_item, each_value, read_duration, read_moment

$enums

$all

$models

# How members are read that JSON has no type for.
$readers
'''

PY_MODEL = '''\

@dataclass(frozen=True)
class $name(Model):
$doc$members
'''

PY_CALLS = '''\
"""A method for each operation of the API. $NOTICE"""

from __future__ import annotations

from functools import partial
from typing import Any, AsyncIterator, Dict, Iterator, List, Literal, Mapping, Optional, Sequence, Union

from . import models
from . import _operations as operations
from ._values import UNSET, Duration, Moment, Unset, some


class Calls:
    """The calls, made in the caller's thread."""

    _core: Any
    _run: Any
    _items: Any

$calls


class AsyncCalls:
    """The calls, made with asyncio."""

    _core: Any
    _run: Any
    _items: Any

$async_calls
'''

PY_ITERATOR = '''\
    def $name(
        self,
$filters
    ) -> $iterator:
        """What `$list` lists, from all pages."""
$page
        return self._items(page, "$items")
'''

PY_OPERATIONS = '''\
"""What is to be known of each operation. $NOTICE"""

from ._transport import Operation

$operations
'''

PY_WORDS = {"class", "def", "del", "from", "global", "import", "in", "is", "lambda", "not", "or", "pass", "with"}


def py_name(name):
    return name + "_" if name in PY_WORDS else name


def py_type(read, sent, prefix=""):
    text = {
        "text": "str",
        "integer": "int",
        "number": "float",
        "boolean": "bool",
        "any": "Any",
        "moment": "Moment" if sent else "datetime",
        "duration": "Duration" if sent else "timedelta",
    }.get(read.kind)
    if read.kind in ("enum", "model"):
        text = prefix + read.of
    elif read.kind == "const":
        text = f"Literal[{json.dumps(read.of)}]"
    elif read.kind == "list":
        text = f"{'Sequence' if sent else 'List'}[{py_type(read.of, sent, prefix)}]"
    elif read.kind == "map":
        text = f"{'Mapping' if sent else 'Dict'}[str, {py_type(read.of, sent, prefix)}]"
    return text


def py_reader(read):
    """The function that turns JSON into what a member holds; None where it is that already."""
    if read.kind in ("moment", "duration"):
        return f"read_{read.kind}"
    if read.kind == "model":
        return f"{read.of}.from_json"
    if read.kind in ("list", "map") and py_reader(read.of):
        return f"each_{'value' if read.kind == 'map' else 'item'}({py_reader(read.of)})"
    return None


def py_model(model):
    members = []
    for member in sorted(model.members, key=lambda one: not one.required):
        text = py_type(member.type, model.sent)
        if member.doc:
            members.append(hash_doc(member.doc, "    "))
        if not member.required and member.type.kind == "any":
            text += f" = {'UNSET' if model.sent else 'None'}"
        elif not member.required:
            text = f"Optional[{text}] = None"
        elif member.type.nullable:
            text = f"Optional[{text}]"
        members.append(f"    {py_name(member.name)}: {text}")
    doc = quoted_doc(model.doc, "    ") + "\n\n" if model.doc else ""
    return fill(PY_MODEL, name=model.name, doc=doc, members="\n".join(members))


def py_models(api):
    # What a call is given are arguments of its method; only a batch is given models.
    arguments = {o.params() for o in api.operations} - {"NewTask"}
    models = [model for model in api.models.values() if model.answered or model.name not in arguments]
    readers = []
    for model in models:
        pairs = [f"{json.dumps(one.name)}: {py_reader(one.type)}" for one in model.members if py_reader(one.type)]
        if pairs:
            readers.append(listed(f"{model.name}._readers = {{", pairs, "}", ""))
    names = sorted([*api.enums, *(model.name for model in models)])
    return fill(
        PY_MODELS,
        enums="\n".join(f"{name} = Literal[{', '.join(map(json.dumps, enum))}]" for name, enum in api.enums.items()),
        all=listed("__all__ = [", list(map(json.dumps, names)), "]", ""),
        models="\n".join(map(py_model, models)),
        readers="\n".join(readers),
    )


def py_argument(member):
    text = py_type(member.type, True, "models.")
    if not member.required and member.type.nullable:
        text = f"Union[{text}, None, Unset] = UNSET"
    elif not member.required and member.type.kind == "any":
        text += " = UNSET"
    elif not member.required:
        text = f"Optional[{text}] = None"
    return f"{py_name(member.name)}: {text}"


def py_members(api, o):
    """The members that a call takes as arguments, those that it needs first."""
    members = api.models[o.params()].members if o.params() else []
    return sorted((m for m in members if m.name not in o.path_names), key=lambda one: not one.required)


def py_method(api, o, is_async):
    members = py_members(api, o)
    signature = ["self", *(f"{name}: str" for name in o.path_names)]
    signature += ["*", *map(py_argument, members)] if members else []
    answer = py_type(o.answer, False, "models.") if o.answer else "None"
    arguments = [f"operations.{constant(o.name)}"]
    arguments += [f"({', '.join(o.path_names)},)"] if o.path_names else []
    out = []
    if members:
        some = [f'"{m.name}": {py_name(m.name)}' for m in members if not is_kept(m)]
        kept = [f'"{m.name}": {py_name(m.name)}' for m in members if is_kept(m)]
        how = "body=" if o.body else "query="
        if kept and some:
            out.append(listed("given = some({", some, "})", "        "))
        if kept:
            arguments.append(listed(how + "{", (["**given"] if some else []) + kept, "}", " " * 16).strip())
        else:
            arguments.append(listed(how + "some({", some, "})", " " * 16).strip())
    if o.answer and o.answer.kind == "model":
        arguments.append(f"read=models.{o.answer.of}.from_json")
    begin, wait = ("async def", "await ") if is_async else ("def", "")
    out.insert(0, listed(f"{begin} {snake(o.name)}(", signature, f") -> {answer}:", "    "))
    out.insert(1, quoted_doc(f"{o.doc} `{o.method} {o.path}`", "        "))
    call = f"        return {wait}self._run(self._core.call({', '.join(arguments)}))"
    if len(call) > WIDTH or "\n" in call:
        call = listed("self._core.call(", arguments, ")", " " * 12)
        call = f"        return {wait}self._run(\n{call}\n        )"
    return "\n".join([*out, call, ""])


def py_iterator(api, o, is_async):
    page = page_member(api, o)
    filters = [member for member in py_members(api, o) if member.name != "cursor"]
    passed = [f"self.{snake(o.name)}", *(f"{py_name(m.name)}={py_name(m.name)}" for m in filters)]
    return fill(
        PY_ITERATOR,
        name=snake(o.name).replace("list", "iter"),
        filters="\n".join(f"        {one}," for one in ["*", *map(py_argument, filters)]),
        iterator=f"{'AsyncIterator' if is_async else 'Iterator'}[models.{page.type.of.of}]",
        list=snake(o.name),
        page=listed("page = partial(", passed, ")", "        "),
        items=page.name,
    )


def py_calls(api):
    def methods(is_async):
        out = []
        for o in shown(api):
            out.append(py_method(api, o, is_async))
            if page_member(api, o):
                out.append(py_iterator(api, o, is_async))
        return "\n".join(out).rstrip()

    return fill(PY_CALLS, calls=methods(False), async_calls=methods(True))


def py_operations(api):
    operations = []
    for o in api.operations:
        names = json.dumps(o.names) if o.names else None
        operations.append(
            f'{constant(o.name)} = Operation("{o.name}", "{o.method}", "{o.path}", {o.repeatable}, {names})'
        )
    return fill(PY_OPERATIONS, operations="\n".join(operations))
