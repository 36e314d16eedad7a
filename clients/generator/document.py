"""What the OpenAPI document says, as models, enums and operations.

An addition to the document needs no change here. Two things are not in it, and stand in the tables below: which POSTs
may be sent again, and what a change of a target may hold.
"""

import json
import re
from dataclasses import dataclass
from typing import Dict, List, Optional

# A POST that may be sent again although it may have been done: the second one changes nothing more. So may
# those that the server knows by an id or an operation, which the client adds, and all other methods.
REPEATABLE_POSTS = {"pushTask", "pauseTarget", "resumeTarget", "drainNode", "createTasks", "cancelTasks"}
# A change names its members loosely in the document: all of the settings', and null for the default.
CHANGES_OF = {"TargetChange": "TargetSettings"}


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
    members = api.models[operation.answer.of].members
    (found,) = [member for member in members if member.type.kind == "list" and member.type.of.kind == "model"]
    return found


def short_form(api, o):
    """The members that the call without its optional ones takes; None where there is no such form."""
    if not o.params():
        return None
    required = [member for member in api.models[o.params()].members if member.required]
    return None if o.body in api.schemas and (required or o.body_required) else required


def is_kept(member):
    """Whether None given to a call is JSON's null; of other members it means that nothing was given."""
    return member.type.nullable or (member.type.kind == "any" and not member.required)
