#!/usr/bin/env python3
"""Writes the models and calls of the three clients, from the OpenAPI document that the server serves.

    clients/generate.py            writes them
    clients/generate.py --check    fails where what is checked in is not what would be written

A schema becomes an interface in TypeScript, a dataclass in Python and a class in Java; an operation becomes
a method. An addition to the document needs no change here. Three things are not in the document, and stand
in the tables below: which calls may be sent again, which are written by hand, and what a change may hold.
"""

import json
import re
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional

CLIENTS = Path(__file__).resolve().parent
DOCUMENT = CLIENTS.parent / "api" / "openapi.json"

# A POST that may be sent again although it may have been done: the second one changes nothing more. So may
# those that the server knows by an id or an operation, which the client adds, and all other methods.
REPEATABLE_POSTS = {"pushTask", "pauseTarget", "resumeTarget", "drainNode", "createTasks", "cancelTasks"}
# Each client has them by hand: batches are split, and exports read line by line.
BY_HAND = {"createTasks", "cancelTasks", "exportTasks"}
# A change names its members loosely in the document: all of the settings', and null for the default.
CHANGES_OF = {"TargetChange": "TargetSettings"}

NOTICE = "Made by clients/generate.py from api/openapi.json."


# ---- What the document says ------------------------------------------------------------------------


@dataclass
class Type:
    kind: str  # text, integer, number, boolean, any, moment, duration, enum, const, list, map or model
    of: object = None  # the name of an enum or model, the value of a const, the Type inside a list or map
    nullable: bool = False


@dataclass
class Member:
    name: str
    type: Type
    required: bool
    doc: str = ""


@dataclass
class Model:
    name: str
    doc: str
    members: List[Member]
    sent: bool = False
    answered: bool = False


@dataclass
class Operation:
    name: str
    method: str
    path: str
    doc: str
    path_names: List[str]
    query: Optional[str] = None  # the model of the query parameters
    body: Optional[str] = None  # the model of the body
    body_required: bool = False
    answer: Optional[Type] = None  # None: an answer without a body
    names: Optional[str] = None  # the member by which the server knows a repeated call
    repeatable: bool = False

    def params(self):
        return self.body or self.query


def upper_first(name):
    return name[0].upper() + name[1:]


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(map(upper_first, rest))


def pascal(name):
    return upper_first(camel(name))


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def constant(name):
    return snake(name).upper()


class Reader:
    """Reads schemas into models. An object or enum inside another schema gets a name: that of its property
    where all properties of this name mean the same, else with the owner's name before it."""

    def __init__(self, document):
        self.document = document
        self.schemas = document["components"]["schemas"]
        self.models: Dict[str, Model] = {}
        self.enums: Dict[str, List[str]] = {}
        self.operations: List[Operation] = []
        self.inner: Dict[str, Dict[str, int]] = {}  # property -> its forms, and how often each is there
        self.count_inner(document)
        for name, schema in self.schemas.items():
            if "enum" in schema:
                self.enums[name] = schema["enum"]
        for name, schema in self.schemas.items():
            if schema.get("type") == "object" and "properties" in schema:
                self.read_model(name, schema)
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if method in ("get", "put", "post", "delete", "patch"):
                    self.read_operation(path, method.upper(), operation)
        for operation in self.operations:
            self.mark(operation.params(), "sent")
            if operation.answer:
                self.mark_type(operation.answer, "answered")

    @staticmethod
    def form(schema):
        """What makes two schemas the same; None where a schema needs no name."""
        if "enum" in schema:
            return json.dumps([value for value in schema["enum"] if value is not None])
        if "properties" in schema:
            return json.dumps(schema["properties"], sort_keys=True)
        return None

    def count_inner(self, node):
        if isinstance(node, list):
            for child in node:
                self.count_inner(child)
        if isinstance(node, dict):
            for name, schema in (node.get("properties") or {}).items():
                form = isinstance(schema, dict) and self.form(schema.get("items", schema))
                if form:
                    forms = self.inner.setdefault(name, {})
                    forms[form] = forms.get(form, 0) + 1
            for child in node.values():
                self.count_inner(child)

    def inner_name(self, owner, name, schema):
        forms = self.inner.get(name, {})
        repeated = len(forms) == 1 and forms.get(self.form(schema), 0) > 1
        if repeated or ("enum" in schema and len(forms) == 1):
            return pascal(name)
        return owner + pascal(name)

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def read_type(self, schema, owner, name):
        if "oneOf" in schema and {"type": "null"} in schema["oneOf"]:
            (other,) = [choice for choice in schema["oneOf"] if choice != {"type": "null"}]
            return Type(**{**vars(self.read_type(other, owner, name)), "nullable": True})
        kind = schema.get("type")
        if isinstance(kind, list):
            (kind,) = [choice for choice in kind if choice != "null"]
            return Type(**{**vars(self.read_type({**schema, "type": kind}, owner, name)), "nullable": True})
        if "$ref" in schema:
            named = schema["$ref"].rsplit("/", 1)[1]
            if named in ("Moment", "Duration"):
                return Type(named.lower())
            if named in self.enums:
                return Type("enum", named)
            if "properties" in self.schemas[named]:
                return Type("model", named)
            return self.read_type(self.schemas[named], owner, named)
        if "const" in schema:
            return Type("const", schema["const"])
        if "enum" in schema:
            return Type("enum", self.enum_name(schema, owner, name))
        if kind == "array":
            one = name[:-1] if name.endswith("s") else name
            return Type("list", self.read_type(schema["items"], owner, one))
        if kind == "object" and "properties" in schema:
            named = self.inner_name(owner, name, schema)
            self.read_model(named, schema)
            return Type("model", named)
        if kind == "object":
            values = schema.get("additionalProperties")
            one = name[:-1] if name.endswith("s") else name
            return Type("map", self.read_type(values, owner, one) if isinstance(values, dict) else Type("any"))
        if kind in ("string", "integer", "number", "boolean"):
            return Type({"string": "text"}.get(kind, kind))
        return Type("any")

    def enum_name(self, schema, owner, name):
        values = [value for value in schema["enum"] if value is not None]
        if set(values) <= set(self.enums.get(pascal(name), ())):
            return pascal(name)
        named = self.inner_name(owner, name, schema)
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", value) for value in values), values
        self.enums[named] = values
        return named

    def read_model(self, name, schema):
        if name in self.models:
            return
        required = schema.get("required", ())
        properties = {
            key: value for key, value in schema["properties"].items() if not value.get("readOnly", False)
        }
        if name in CHANGES_OF:
            base = self.schemas[CHANGES_OF[name]]["properties"]
            properties = {**properties, **{k: v for k, v in base.items() if not v.get("readOnly", False)}}
        model = self.models[name] = Model(name, schema.get("description", ""), [])
        for key, value in properties.items():
            read = self.read_type(value, name, key)
            read.nullable = read.nullable or name in CHANGES_OF
            doc = value.get("description", "")
            model.members.append(Member(key, read, key in required, doc))

    def read_operation(self, path, method, spec):
        name = spec["operationId"]
        doc = ". ".join(part.rstrip(".") for part in (spec.get("summary", ""), spec.get("description", "")) if part)
        read = Operation(name, method, path, doc + ".", re.findall(r"{(\w+)}", path))
        query = [p for p in spec.get("parameters", ()) if p["in"] == "query"]
        if query:
            read.query = pascal(name) + "Params"
            self.read_model(read.query, {
                "description": f"What `{name}` may be given.",
                "properties": {p["name"]: {"description": p.get("description", ""), **p["schema"]} for p in query},
                "required": [p["name"] for p in query if p.get("required")],
            })
        body = spec.get("requestBody", {})
        schema = body.get("content", {}).get("application/json", {}).get("schema")
        if schema and schema.get("type") != "array":
            if "$ref" in schema:
                read.body = schema["$ref"].rsplit("/", 1)[1]
            else:
                read.body = pascal(name) + "Params"
                self.read_model(read.body, {"description": f"What `{name}` is given.", **schema})
            read.body_required = body.get("required", False)
        read.answer = self.read_answer(spec, name)
        members = {member.name for member in self.models[read.body].members} if read.body else set()
        read.names = "operation" if "operation" in members else "id" if name == "createTask" else None
        read.repeatable = method != "POST" or read.names is not None or name in REPEATABLE_POSTS
        self.operations.append(read)

    def read_answer(self, spec, name):
        found = next((spec["responses"][status] for status in ("200", "201") if status in spec["responses"]), {})
        content = found.get("content", {})
        if not content:
            return None
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            return Type("text")
        if "properties" in schema:
            named = pascal(name) + "Result"
            self.read_model(named, {"description": f"The answer to `{name}`.", **schema})
            return Type("model", named)
        return self.read_type(schema, pascal(name), "Result")

    def mark(self, name, how):
        if name is None or getattr(self.models[name], how):
            return
        setattr(self.models[name], how, True)
        for member in self.models[name].members:
            self.mark_type(member.type, how)

    def mark_type(self, read, how):
        if read.kind == "model":
            self.mark(read.of, how)
        if read.kind in ("list", "map"):
            self.mark_type(read.of, how)


def page_member(api, operation):
    """The list in the answer of an operation that has pages; else None."""
    query = api.models.get(operation.query)
    if query is None or all(member.name != "cursor" for member in query.members):
        return None
    (found,) = [m for m in api.models[operation.answer.of].members if m.type.kind == "list" and m.type.of.kind == "model"]
    return found


def needs_nothing(api, name):
    return not any(member.required for member in api.models[name].members)


def plain(doc):
    return doc.replace("*/", "* /").replace('"""', "'''").replace("\\", "\\\\")


def wrapped(doc, indent, begin, line, end, width=110):
    """A comment on one line where it fits, else on several."""
    doc = plain(doc)
    one = f"{indent}{begin} {doc} {end}".rstrip()
    if len(one) <= width:
        return one
    lines, text = [], ""
    for word in doc.split():
        if text and len(indent) + len(line) + len(text) + len(word) + 2 > width:
            lines.append(text)
            text = word
        else:
            text = f"{text} {word}".strip()
    return "\n".join([f"{indent}{begin}", *(f"{indent}{line} {text}".rstrip() for text in [*lines, text]), f"{indent} {end}"])


def py_doc(doc, indent):
    doc = plain(doc)
    if len(indent) + len(doc) + 6 <= 110:
        return f'{indent}"""{doc}"""'
    return "\n".join([*(indent + line for line in textwrap.wrap('"""' + doc, 110 - len(indent))), f'{indent}"""'])


def py_comment(doc, indent):
    return "\n".join(textwrap.wrap(plain(doc), 110, initial_indent=f"{indent}#: ", subsequent_indent=f"{indent}#: "))


def py_list(begin, items, end, indent):
    """On one line where it fits, else an item on each."""
    one = f"{indent}{begin}{', '.join(items)}{end}"
    if len(one) <= 110:
        return one
    return "\n".join([f"{indent}{begin}", *(f"{indent}    {item}," for item in items), f"{indent}{end}"])


def js_doc(doc, indent):
    return wrapped(doc, indent, "/**", " *", "*/")


# ---- TypeScript ------------------------------------------------------------------------------------


def ts_type(read, sent, nullable=True):
    text = {
        "text": "string", "integer": "number", "number": "number", "boolean": "boolean", "any": "unknown",
        "moment": "Moment" if sent else "string", "duration": "Duration" if sent else "string",
    }.get(read.kind)
    if read.kind in ("enum", "model"):
        text = read.of
    elif read.kind == "const":
        text = json.dumps(read.of)
    elif read.kind == "list":
        text = f"{ts_type(read.of, sent)}[]"
    elif read.kind == "map":
        text = f"Record<string, {ts_type(read.of, sent)}>"
    return f"{text} | null" if read.nullable and nullable else text


def ts_models(api):
    out = [f"// {NOTICE}", "", "/** A moment: RFC 3339 with an offset, Unix milliseconds, or a Date. */",
           "export type Moment = string | number | Date;", "",
           '/** A duration: text such as "90s", "1m30s" or "PT90S", or milliseconds. */',
           "export type Duration = string | number;", ""]
    for name, values in api.enums.items():
        out += [f"export type {name} = {' | '.join(json.dumps(value) for value in values)};", ""]
    for model in api.models.values():
        if model.doc:
            out.append(js_doc(model.doc, ""))
        out.append(f"export interface {model.name} {{")
        for member in model.members:
            if member.doc:
                out.append(js_doc(member.doc, "  "))
            optional = "" if member.required else "?"
            out.append(f"  {member.name}{optional}: {ts_type(member.type, model.sent)};")
        out += ["}", ""]
    return "\n".join(out)


def ts_calls(api):
    pages = [page_member(api, o) for o in api.operations]
    shown = [o for o in api.operations if o.name not in BY_HAND]
    used = sorted({o.params() for o in shown if o.params()}
                  | {o.answer.of for o in shown if o.answer and o.answer.kind == "model"}
                  | {page.type.of.of for page in pages if page})
    out = [f"// {NOTICE}", "", 'import type { CallOptions, Input, Operation } from "./transport.js";',
           "import type {", *(f"  {name}," for name in used), '} from "./models.js";', "",
           "export const operations = {"]
    for o in api.operations:
        names = f', names: "{o.names}"' if o.names else ""
        out.append(f'  {o.name}: {{ name: "{o.name}", method: "{o.method}", path: "{o.path}", '
                   f"repeatable: {json.dumps(o.repeatable)}{names} }},")
    out += ["} satisfies Record<string, Operation>;", "",
            "/** A method for each operation of the API. */", "export abstract class Calls {",
            "  protected abstract call<T>(operation: Operation, input: Input, options?: CallOptions): Promise<T>;", "",
            "  /** The items of one page after the other. */",
            "  protected abstract items<T>(",
            "    page: (cursor: string | undefined) => Promise<{ items: T[]; next_cursor?: string; silent_shards?: number[] }>,",
            "  ): AsyncGenerator<T, void, undefined>;", ""]
    for o in api.operations:
        if o.name in BY_HAND:
            continue
        arguments = [f"{name}: string" for name in o.path_names]
        fields = [f"path: [{', '.join(o.path_names)}]"] if o.path_names else []
        if o.params():
            default = " = {}" if needs_nothing(api, o.params()) and not (o.body_required and o.body in api.schemas) else ""
            arguments.append(f"params: {o.params()}{default}")
            fields.append("body: params" if o.body else "query: params")
        arguments.append("options?: CallOptions")
        answer = ts_type(o.answer, False) if o.answer else "void"
        out += [js_doc(f"{o.doc} `{o.method} {o.path}`", "  "),
                f"  {o.name}({', '.join(arguments)}): Promise<{answer}> {{",
                f"    return this.call(operations.{o.name}, {{ {', '.join(fields)} }}, options);" if fields
                else f"    return this.call(operations.{o.name}, {{}}, options);", "  }", ""]
        page = page_member(api, o)
        if page:
            out += [f"  /** What `{o.name}` lists, from all pages. */",
                    f"  {o.name.replace('list', 'iterate')}(params: {o.query} = {{}}, options?: CallOptions): "
                    f"AsyncGenerator<{page.type.of.of}, void, undefined> {{",
                    "    return this.items(async (cursor) => {",
                    f"      const {{ {page.name}: items, ...rest }} = await this.{o.name}"
                    "(cursor === undefined ? params : { ...params, cursor }, options);",
                    "      return { items, ...rest };", "    });", "  }", ""]
    out[-1] = "}"
    return "\n".join(out) + "\n"


# ---- Python ----------------------------------------------------------------------------------------

PYTHON_WORDS = {"from", "in", "is", "class", "global", "pass", "def", "del", "import", "lambda", "not", "or", "with"}


def py_name(name):
    return name + "_" if name in PYTHON_WORDS else name


def py_type(read, sent, prefix=""):
    text = {
        "text": "str", "integer": "int", "number": "float", "boolean": "bool", "any": "Any",
        "moment": "Moment" if sent else "datetime", "duration": "Duration" if sent else "timedelta",
    }.get(read.kind)
    if read.kind in ("enum", "model"):
        text = prefix + read.of
    elif read.kind == "const":
        text = f"Literal[{read.of!r}]".replace("'", '"')
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


def py_models(api):
    out = [f'"""The models of the API. {NOTICE}"""', "", "from __future__ import annotations", "",
           "from dataclasses import dataclass", "from datetime import datetime, timedelta",
           "from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence", "",
           "from ._values import UNSET, Duration, Model, Moment, each_item, each_value, read_duration, read_moment", ""]
    for name, values in api.enums.items():
        literal = ", ".join(f'"{value}"' for value in values)
        out.append(f"{name} = Literal[{literal}]")
    # What a call is given are arguments of its method; only a batch is given models.
    arguments = {o.params() for o in api.operations} - {"NewTask"}
    models = [model for model in api.models.values() if model.answered or model.name not in arguments]
    out += ["", py_list("__all__ = [", [json.dumps(name) for name in sorted([*api.enums, *(m.name for m in models)])], "]", "")]
    for model in models:
        out += ["", "", "@dataclass(frozen=True)", f"class {model.name}(Model):"]
        if model.doc:
            out += [py_doc(model.doc, "    "), ""]
        for member in sorted(model.members, key=lambda m: not m.required):
            text = py_type(member.type, model.sent)
            if member.doc:
                out.append(py_comment(member.doc, "    "))
            if member.required:
                nullable = f"Optional[{text}]" if member.type.nullable else text
                out.append(f"    {py_name(member.name)}: {nullable}")
            elif member.type.kind == "any":
                out.append(f"    {py_name(member.name)}: {text} = {'UNSET' if model.sent else 'None'}")
            else:
                out.append(f"    {py_name(member.name)}: Optional[{text}] = None")
    out += ["", "", "# How members are read that JSON has no type for."]
    for model in models:
        readers = [f"{json.dumps(m.name)}: {py_reader(m.type)}" for m in model.members if py_reader(m.type)]
        if readers:
            out.append(py_list(f"{model.name}._readers = {{", readers, "}", ""))
    return "\n".join(out) + "\n"


def py_call(api, o, is_async):
    model = api.models.get(o.params())
    signature = [f"{name}: str" for name in o.path_names]
    members = [m for m in model.members if m.name not in o.path_names] if model else []
    names = []
    if members:
        signature.append("*")
    for member in sorted(members, key=lambda m: not m.required):
        text = py_type(member.type, True, "models.")
        name = py_name(member.name)
        names.append((member.name, name))
        if member.required:
            signature.append(f"{name}: {text}")
        elif member.type.nullable:
            signature.append(f"{name}: Union[{text}, None, Unset] = UNSET")
        elif member.type.kind == "any":
            signature.append(f"{name}: {text} = UNSET")
        else:
            signature.append(f"{name}: Optional[{text}] = None")
    answer = py_type(o.answer, False, "models.") if o.answer else "None"
    prefix, wait = ("async ", "await ") if is_async else ("", "")
    out = [f"    {prefix}def {snake(o.name)}("]
    out[0] += "self" + "".join(", " + part for part in signature) + f") -> {answer}:"
    if len(out[0]) > 110:
        out = [f"    {prefix}def {snake(o.name)}(", "        self,", *(f"        {part}," for part in signature),
               f"    ) -> {answer}:"]
    out.append(py_doc(f"{o.doc} `{o.method} {o.path}`", "        "))
    arguments = [f"operations.{constant(o.name)}"]
    if o.path_names:
        arguments.append(f"({', '.join(o.path_names)},)")
    if members:
        kept = {m.name for m in members if m.type.nullable or (m.type.kind == "any" and not m.required)}
        pairs = [f'"{wire}": {name}' for wire, name in names if wire not in kept]
        nulls = [f'"{wire}": {name}' for wire, name in names if wire in kept]
        how = f"{'body' if o.body else 'query'}="
        if nulls:
            if pairs:
                out.append(py_list("given = some({", pairs, "})", "        "))
            arguments.append(py_list(how + "{", [*(["**given"] if pairs else []), *nulls], "}", " " * 16).strip())
        else:
            arguments.append(py_list(how + "some({", pairs, "})", " " * 16).strip())
    if o.answer and o.answer.kind == "model":
        arguments.append(f"read=models.{o.answer.of}.from_json")
    call = f"        return {wait}self._run(self._core.call({', '.join(arguments)}))"
    if len(call) > 110 or "\n" in call:
        call = "\n".join([f"        return {wait}self._run(", "            self._core.call(",
                          *(f"                {argument}," for argument in arguments), "            )", "        )"])
    out += [call, ""]
    page = page_member(api, o)
    if page:
        iterator = f"{'AsyncIterator' if is_async else 'Iterator'}[models.{page.type.of.of}]"
        filters = [part for part in signature if not part.startswith("cursor:")]
        passed = [f"self.{snake(o.name)}", *(f"{name}={name}" for wire, name in names if wire != "cursor")]
        out += [f"    def {snake(o.name).replace('list', 'iter')}(", "        self,", *(f"        {part}," for part in filters),
                f"    ) -> {iterator}:", f'        """What `{snake(o.name)}` lists, from all pages."""',
                py_list("page = partial(", passed, ")", "        "), f'        return self._items(page, "{page.name}")', ""]
    return out


def py_calls(api):
    out = [f'"""A method for each operation of the API. {NOTICE}"""', "", "from __future__ import annotations", "",
           "from functools import partial",
           "from typing import Any, AsyncIterator, Dict, Iterator, List, Literal, Mapping, Optional, Sequence, Union", "",
           "from . import models", "from . import _operations as operations",
           "from ._values import UNSET, Duration, Moment, Unset, some", ""]
    for is_async in (False, True):
        name, doc = ("AsyncCalls", "with asyncio") if is_async else ("Calls", "in the caller's thread")
        out += ["", f"class {name}:", f'    """The calls, made {doc}."""', "", "    _core: Any", "    _run: Any", "    _items: Any", ""]
        for o in api.operations:
            if o.name not in BY_HAND:
                out += py_call(api, o, is_async)
    return "\n".join(out)


def py_operations(api):
    out = [f'"""What is to be known of each operation. {NOTICE}"""', "", "from ._transport import Operation", ""]
    for o in api.operations:
        out.append(f'{constant(o.name)} = Operation("{o.name}", "{o.method}", "{o.path}", {o.repeatable}, '
                   f"{json.dumps(o.names) if o.names else None})")
    return "\n".join(out) + "\n"


# ---- Java ------------------------------------------------------------------------------------------

JAVA_WORDS = {"default", "new", "for", "switch", "case", "class", "interface", "package", "import", "try", "toString"}


def java_name(name):
    name = camel(name)
    return name + "_" if name in JAVA_WORDS else name


def java_type(read, boxed=True):
    text = {
        "text": "String", "const": "String", "integer": "Long" if boxed else "long",
        "number": "Double" if boxed else "double", "boolean": "Boolean" if boxed else "boolean", "any": "Object",
        "moment": "Instant", "duration": "Duration",
    }.get(read.kind)
    if read.kind in ("enum", "model"):
        text = read.of
    elif read.kind == "list":
        text = f"List<{java_type(read.of)}>"
    elif read.kind == "map":
        text = f"Map<String, {java_type(read.of)}>"
    return text


def java_reader(read):
    """The function that turns JSON into a value of the type."""
    if read.kind == "model":
        return f"{read.of}::of"
    if read.kind == "enum":
        return f"value -> enumeration(value, {read.of}.class)"
    if read.kind in ("list", "map"):
        return f"value -> {read.kind}(value, {java_reader(read.of)})"
    return "JsonObject::" + {"const": "text", "boolean": "flag"}.get(read.kind, read.kind)


def java_imports(types):
    used = set()

    def visit(read):
        used.update({"moment": {"java.time.Instant"}, "duration": {"java.time.Duration"}, "list": {"java.util.List"},
                     "map": {"java.util.Map"}}.get(read.kind, ()))
        if read.kind in ("list", "map"):
            visit(read.of)

    for read in types:
        visit(read)
    return used


def java_model(api, model):
    types = [member.type for member in model.members]
    imports = java_imports(types) | {"io.carillon.client.json.JsonObject", "java.util.Map"}
    if model.sent:
        imports.add("io.carillon.client.json.JsonBuilder")
    out = [f"// {NOTICE}", "package io.carillon.client.model;", "",
           *(f"import {name};" for name in sorted(imports)), "",
           js_doc(model.doc or f"`{model.name}` of the API.", ""),
           f"public final class {model.name} extends JsonObject {{", f"  private {model.name}(Map<String, ?> members) {{", "    super(members);", "  }", "",
           "  /** One with the members of a JSON object. */", f"  public static {model.name} of(Object json) {{",
           f"    return json == null ? null : new {model.name}(object(json));", "  }", ""]
    for member in model.members:
        null = "" if member.required and not member.type.nullable else " Null where there is none."
        boxed = not member.required or member.type.nullable
        out += [js_doc((member.doc or f"`{member.name}`.") + null, "  "),
                f"  public {java_type(member.type, boxed)} {java_name(member.name)}() {{",
                f'    return read("{member.name}", {java_reader(member.type)});', "  }", ""]
    if model.sent:
        out += [f"  public static Builder builder() {{", "    return new Builder();", "  }", "",
                f"  /** Makes a {model.name}. What is not called is left out. */",
                f"  public static final class Builder extends JsonBuilder<{model.name}, Builder> {{",
                "    private Builder() {", f"      super({model.name}::of);", "    }", ""]
        for member in model.members:
            put = "putNullable" if member.type.nullable or member.type.kind == "any" else "put"
            # A number is a long, so that nobody has to write 7L; but null is none.
            types = [java_type(member.type, boxed=False)]
            if member.type.nullable and java_type(member.type) not in types:
                types.append(java_type(member.type))
            for value in types:
                out += [js_doc(member.doc or f"`{member.name}`.", "    "),
                        f"    public Builder {java_name(member.name)}({value} value) {{",
                        f'      return {put}("{member.name}", value);', "    }", ""]
        out[-1] = "  }"
    else:
        out.pop()
    out.append("}")
    return "\n".join(out) + "\n"


def java_enum(name, values):
    constants = [f"  {value.upper()}," for value in values]
    return "\n".join([f"// {NOTICE}", "package io.carillon.client.model;", "", f"/** `{name}` of the API. */",
                      f"public enum {name} {{", *constants, "  /** A value that this version of the client does not know. */",
                      "  UNRECOGNIZED", "}"]) + "\n"


def java_calls(api):
    models = "io.carillon.client.model"
    out = [f"// {NOTICE}", "package io.carillon.client;", "", f"import {models}.*;", "import java.time.Duration;",
           "import java.util.List;", "import java.util.function.Function;", "import java.util.stream.Stream;", "",
           "/** A method for each operation of the API. */", "public abstract class Calls {", "  Calls() {}", "",
           "  abstract <T> T call(Operation operation, List<String> path, Object params, Function<Object, T> reader);", "",
           "  abstract <T> Stream<T> items(Function<String, Page<T>> page);", ""]
    for o in api.operations:
        if o.name in BY_HAND:
            continue
        answer = java_type(o.answer) if o.answer else "void"
        path = [f"String {java_name(name)}" for name in o.path_names]
        params = [f"{o.params()} params"] if o.params() else []
        reader = f"{o.answer.of}::of" if o.answer and o.answer.kind == "model" else \
            "answer -> (String) answer" if o.answer and o.answer.kind == "text" else "answer -> answer"
        give = "" if answer == "void" else "return "
        if o.answer and o.answer.kind == "map":
            reader, answer = "io.carillon.client.json.JsonObject::object", "java.util.Map<String, Object>"
        passed = f"List.of({', '.join(map(java_name, o.path_names))})"
        doc = js_doc(f"{plain(o.doc)} {{@code {o.method} {o.path.replace('{', '').replace('}', '')}}}", "  ")
        out += [doc, f"  public {answer} {o.name}({', '.join(path + params)}) {{",
                f"    {give}call(Operation.{constant(o.name)}, {passed}, {'params' if params else 'null'}, {reader});", "  }", ""]
        short = java_short_form(api, o)
        if short is not None:
            arguments = [f"{java_type(m.type)} {java_name(m.name)}" for m in short]
            made = "".join(f".{java_name(m.name)}({java_name(m.name)})" for m in short)
            out += [doc, f"  public {answer} {o.name}({', '.join(path + arguments)}) {{",
                    f"    {give}{o.name}({', '.join([*map(java_name, o.path_names), f'{o.params()}.builder(){made}.build()'])});", "  }", ""]
        page = page_member(api, o)
        if page:
            item = page.type.of.of
            out += [f"  /** What {{@code {o.name}}} lists, from all pages; each page is read when it is reached. */",
                    f"  public Stream<{item}> {o.name.replace('list', 'stream')}({o.query} params) {{",
                    "    return items(cursor -> {",
                    f"      var page = {o.name}(cursor == null ? params : {o.query}.builder().from(params).cursor(cursor).build());",
                    f"      return new Page<>(page.{java_name(page.name)}(), page.nextCursor(), page.json().get(\"silent_shards\"));",
                    "    });", "  }", ""]
    out[-1] = "}"
    return "\n".join(out) + "\n"


def java_short_form(api, o):
    """What the call without its optional members takes; None where there is no such form."""
    if not o.params():
        return None
    required = [m for m in api.models[o.params()].members if m.required]
    if o.body in api.schemas and (required or o.body_required):
        return None
    return required


def java_operations(api):
    out = [f"// {NOTICE}", "package io.carillon.client;", "", "/** What is to be known of each operation. */",
           "enum Operation {"]
    for o in api.operations:
        out.append(f'  {constant(o.name)}("{o.method}", "{o.path}", {json.dumps(o.repeatable)}, {json.dumps(o.names)}, {json.dumps(bool(o.body))}),')
    out[-1] = out[-1][:-1] + ";"
    out += ["", "  final String method;", "  final String path;", "  final boolean repeatable;",
            "  /** The member by which the server knows a repeated call; null where there is none. */", "  final String names;",
            "  final boolean hasBody;", "",
            "  Operation(String method, String path, boolean repeatable, String names, boolean hasBody) {",
            *(f"    this.{name} = {name};" for name in ("method", "path", "repeatable", "names", "hasBody")), "  }", "}"]
    return "\n".join(out) + "\n"


# ---- All of it -------------------------------------------------------------------------------------


def generated(api):
    """Path below clients/ -> text."""
    java = "java/src/generated/java/io/carillon/client"
    files = {
        "typescript/src/models.ts": ts_models(api),
        "typescript/src/calls.ts": ts_calls(api),
        "python/src/carillon/models.py": py_models(api),
        "python/src/carillon/_operations.py": py_operations(api),
        "python/src/carillon/_calls.py": py_calls(api),
        f"{java}/Calls.java": java_calls(api),
        f"{java}/Operation.java": java_operations(api),
    }
    for model in api.models.values():
        files[f"{java}/model/{model.name}.java"] = java_model(api, model)
    for name, values in api.enums.items():
        files[f"{java}/model/{name}.java"] = java_enum(name, values)
    return files


def main():
    files = generated(Reader(json.loads(DOCUMENT.read_text(encoding="utf-8"))))
    old = {str(path.relative_to(CLIENTS)) for path in (CLIENTS / "java/src/generated").rglob("*.java")}
    stale = sorted(old - set(files))
    if "--check" in sys.argv[1:]:
        differ = [name for name, text in files.items()
                  if not (CLIENTS / name).exists() or (CLIENTS / name).read_text(encoding="utf-8") != text]
        for name in [*differ, *stale]:
            print(f"clients/{name} is not what clients/generate.py writes; run it")
        print(f"{len(files)} generated files, {len(differ) + len(stale)} differ")
        return 1 if differ or stale else 0
    for name in stale:
        (CLIENTS / name).unlink()
    for name, text in files.items():
        path = CLIENTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(files)} files written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
