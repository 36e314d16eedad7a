"""Java: a class for each model, and one with a method for each operation."""

import json
import re

from .document import camel, constant, is_kept, page_member, short_form
from .text import fill, shown, star_doc

JAVA_MODEL = """\
// $NOTICE
package io.carillon.client.model;

$imports

$doc
public final class $name extends JsonObject {
  private $name(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static $name of(Object json) {
    return json == null ? null : new $name(object(json));
  }

$body
}
"""

JAVA_GETTER = """\
$doc
  public $type $name() {
    return read("$member", $reader);
  }
"""

JAVA_BUILDER = """\
  public static Builder builder() {
    return new Builder();
  }

  /** Makes a $name. What is not called is left out. */
  public static final class Builder extends JsonBuilder<$name, Builder> {
    private Builder() {
      super($name::of);
    }

$setters
  }
"""

JAVA_SETTER = """\
$doc
    public Builder $name($type value) {
      return $put("$member", value);
    }
"""

JAVA_ENUM = """\
// $NOTICE
package io.carillon.client.model;

/** `$name` of the API. */
public enum $name {
$values
  /** A value that this version of the client does not know. */
  UNRECOGNIZED
}
"""

JAVA_CALLS = """\
// $NOTICE
package io.carillon.client;

import io.carillon.client.json.JsonObject;
import io.carillon.client.model.*;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/** A method for each operation of the API. */
public abstract class Calls {
  Calls() {}

  abstract <T> T call(Operation operation, List<String> path, Object params, Function<Object, T> reader);

  abstract <T> Stream<T> items(Function<String, Page<T>> page);

$methods
}
"""

JAVA_METHOD = """\
$doc
  public $answer $name($arguments) {
    $result;
  }
"""

JAVA_STREAM = """\
  /** What {@code $name} lists, from all pages; each page is read when it is reached. */
  public Stream<$item> $stream($query params) {
    return items(cursor -> {
      var page = $name(cursor == null ? params : $query.builder().from(params).cursor(cursor).build());
      return new Page<>(page.$items(), page.nextCursor(), page.json().get("silent_shards"));
    });
  }
"""

JAVA_OPERATIONS = """\
// $NOTICE
package io.carillon.client;

/** What is to be known of each operation. */
enum Operation {
$operations;

  final String method;
  final String path;
  final boolean repeatable;
  /** The member by which the server knows a repeated call; null where there is none. */
  final String names;
  final boolean hasBody;

  Operation(String method, String path, boolean repeatable, String names, boolean hasBody) {
    this.method = method;
    this.path = path;
    this.repeatable = repeatable;
    this.names = names;
    this.hasBody = hasBody;
  }
}
"""

JAVA_WORDS = {"case", "class", "default", "for", "import", "interface", "new", "package", "switch", "toString", "try"}
JAVA_IMPORTS = {
    "moment": "java.time.Instant",
    "duration": "java.time.Duration",
    "list": "java.util.List",
    "map": "java.util.Map",
}


def java_name(name):
    name = camel(name)
    return name + "_" if name in JAVA_WORDS else name


def java_type(read, boxed=True):
    text = {
        "text": "String",
        "const": "String",
        "integer": "Long" if boxed else "long",
        "number": "Double" if boxed else "double",
        "boolean": "Boolean" if boxed else "boolean",
        "any": "Object",
        "moment": "Instant",
        "duration": "Duration",
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


def java_imports(read):
    found = {JAVA_IMPORTS[read.kind]} if read.kind in JAVA_IMPORTS else set()
    return found | java_imports(read.of) if read.kind in ("list", "map") else found


def java_getter(member):
    doc = member.doc or f"`{member.name}`."
    is_there = member.required and not member.type.nullable
    return fill(
        JAVA_GETTER,
        doc=star_doc(doc if is_there else doc + " Null where there is none.", "  "),
        type=java_type(member.type, boxed=not is_there),
        name=java_name(member.name),
        member=member.name,
        reader=java_reader(member.type),
    )


def java_setters(member):
    # A number is a long, so that nobody has to write 7L; but null is none.
    types = {java_type(member.type, boxed=False): None}
    if member.type.nullable:
        types[java_type(member.type)] = None
    for value in types:
        yield fill(
            JAVA_SETTER,
            doc=star_doc(member.doc or f"`{member.name}`.", "    "),
            type=value,
            name=java_name(member.name),
            put="putNullable" if is_kept(member) else "put",
            member=member.name,
        )


def java_model(model):
    imports = {"io.carillon.client.json.JsonObject", "java.util.Map"}
    imports = imports.union(*(java_imports(member.type) for member in model.members))
    body = list(map(java_getter, model.members))
    if model.sent:
        imports.add("io.carillon.client.json.JsonBuilder")
        setters = [setter for member in model.members for setter in java_setters(member)]
        body.append(fill(JAVA_BUILDER, name=model.name, setters="\n".join(setters).rstrip()))
    return fill(
        JAVA_MODEL,
        imports="\n".join(f"import {name};" for name in sorted(imports)),
        doc=star_doc(model.doc or f"`{model.name}` of the API.", ""),
        name=model.name,
        body="\n".join(body).rstrip(),
    )


def java_enum(name, values):
    return fill(JAVA_ENUM, name=name, values="\n".join(f"  {value.upper()}," for value in values))


def java_methods(api, o):
    """The method with everything, and the one without what is optional."""
    path = list(map(java_name, o.path_names))
    answer, give = (java_type(o.answer), "return ") if o.answer else ("void", "")
    readers = {"model": f"{answer}::of", "text": "answer -> (String) answer", "map": "JsonObject::object"}
    reader = readers.get(o.answer and o.answer.kind, "answer -> answer")
    given = f"List.of({', '.join(path)}), {'params' if o.params() else 'null'}"
    call = f"{give}call(Operation.{constant(o.name)}, {given}, {reader})"
    where = re.sub("[{}]", "", f"{o.method} {o.path}")
    common = {"doc": star_doc(f"{o.doc} {{@code {where}}}", "  "), "answer": answer, "name": o.name}
    arguments = [f"String {name}" for name in path]
    params = [f"{o.params()} params"] if o.params() else []
    yield fill(JAVA_METHOD, **common, arguments=", ".join(arguments + params), result=call)
    required = short_form(api, o)
    if required is not None:
        arguments += [f"{java_type(m.type)} {java_name(m.name)}" for m in required]
        made = "".join(f".{java_name(m.name)}({java_name(m.name)})" for m in required)
        passed = ", ".join([*path, f"{o.params()}.builder(){made}.build()"])
        yield fill(JAVA_METHOD, **common, arguments=", ".join(arguments), result=f"{give}{o.name}({passed})")


def java_stream(api, o):
    page = page_member(api, o)
    name = o.name.replace("list", "stream")
    items = java_name(page.name)
    return fill(JAVA_STREAM, name=o.name, stream=name, query=o.query, item=page.type.of.of, items=items)


def java_calls(api):
    methods = []
    for o in shown(api):
        methods += java_methods(api, o)
        if page_member(api, o):
            methods.append(java_stream(api, o))
    return fill(JAVA_CALLS, methods="\n".join(methods).rstrip())


def java_operations(api):
    operations = []
    for o in api.operations:
        values = ", ".join(map(json.dumps, (o.method, o.path, o.repeatable, o.names, bool(o.body))))
        operations.append(f"  {constant(o.name)}({values})")
    return fill(JAVA_OPERATIONS, operations=",\n".join(operations))
