"""TypeScript: interfaces, and a class with a method for each operation."""

import json

from .document import page_member, short_form
from .text import fill, shown, star_doc

TS_MODELS = """\
// $NOTICE

/** A moment: RFC 3339 with an offset, Unix milliseconds, or a Date. */
export type Moment = string | number | Date;

/** A duration: text such as "90s", "1m30s" or "PT90S", or milliseconds. */
export type Duration = string | number;

$enums

$models
"""

TS_MODEL = """\
${doc}export interface $name {
$members
}
"""

TS_CALLS = """\
// $NOTICE

import type { CallOptions, Input, Operation } from "./transport.js";
import type {
$imports
} from "./models.js";

export const operations = {
$operations
} satisfies Record<string, Operation>;

/** A method for each operation of the API. */
export abstract class Calls {
  protected abstract call<T>(operation: Operation, input: Input, options?: CallOptions): Promise<T>;

  /** The items of one page after the other. */
  protected abstract items<T>(
    page: (cursor: string | undefined) => Promise<{ items: T[]; next_cursor?: string; silent_shards?: number[] }>,
  ): AsyncGenerator<T, void, undefined>;

$methods
}
"""

TS_METHOD = """\
$doc
  $name($arguments): Promise<$answer> {
    return this.call(operations.$name, $input, options);
  }
"""

TS_ITERATOR = """\
  /** What `$name` lists, from all pages. */
  $iterate(params: $query = {}, options?: CallOptions): AsyncGenerator<$item, void, undefined> {
    return this.items(async (cursor) => {
      const { $items: items, ...rest } = await this.$name(cursor === undefined ? params : { ...params, cursor }, options);
      return { items, ...rest };
    });
  }
"""


def ts_type(read, sent):
    text = {
        "text": "string",
        "integer": "number",
        "number": "number",
        "boolean": "boolean",
        "any": "unknown",
        "moment": "Moment" if sent else "string",
        "duration": "Duration" if sent else "string",
    }.get(read.kind)
    if read.kind in ("enum", "model"):
        text = read.of
    elif read.kind == "const":
        text = json.dumps(read.of)
    elif read.kind == "list":
        text = f"{ts_type(read.of, sent)}[]"
    elif read.kind == "map":
        text = f"Record<string, {ts_type(read.of, sent)}>"
    return f"{text} | null" if read.nullable else text


def ts_model(model):
    members = []
    for member in model.members:
        if member.doc:
            members.append(star_doc(member.doc, "  "))
        optional = "" if member.required else "?"
        members.append(f"  {member.name}{optional}: {ts_type(member.type, model.sent)};")
    doc = star_doc(model.doc, "") + "\n" if model.doc else ""
    return fill(TS_MODEL, doc=doc, name=model.name, members="\n".join(members))


def ts_models(api):
    enums = [f"export type {name} = {' | '.join(map(json.dumps, values))};\n" for name, values in api.enums.items()]
    models = map(ts_model, api.models.values())
    return fill(TS_MODELS, enums="\n".join(enums).rstrip(), models="\n".join(models).rstrip())


def ts_operation(o):
    members = {"name": o.name, "method": o.method, "path": o.path, "repeatable": o.repeatable}
    if o.names:
        members["names"] = o.names
    return f"  {o.name}: {{ {', '.join(f'{name}: {json.dumps(value)}' for name, value in members.items())} }},"


def ts_method(api, o):
    arguments = [f"{name}: string" for name in o.path_names]
    fields = [f"path: [{', '.join(o.path_names)}]"] if o.path_names else []
    if o.params():
        optional = short_form(api, o) == []
        arguments.append(f"params: {o.params()}" + (" = {}" if optional else ""))
        fields.append("body: params" if o.body else "query: params")
    return fill(
        TS_METHOD,
        doc=star_doc(f"{o.doc} `{o.method} {o.path}`", "  "),
        name=o.name,
        arguments=", ".join([*arguments, "options?: CallOptions"]),
        answer=ts_type(o.answer, False) if o.answer else "void",
        input=f"{{ {', '.join(fields)} }}" if fields else "{}",
    )


def ts_iterator(api, o):
    page = page_member(api, o)
    name = o.name.replace("list", "iterate")
    return fill(TS_ITERATOR, name=o.name, iterate=name, query=o.query, item=page.type.of.of, items=page.name)


def ts_calls(api):
    used = {page_member(api, o).type.of.of for o in shown(api) if page_member(api, o)}
    methods = []
    for o in shown(api):
        used |= {o.params()} if o.params() else set()
        used |= {o.answer.of} if o.answer and o.answer.kind == "model" else set()
        methods.append(ts_method(api, o))
        if page_member(api, o):
            methods.append(ts_iterator(api, o))
    return fill(
        TS_CALLS,
        imports="\n".join(f"  {name}," for name in sorted(used)),
        operations="\n".join(map(ts_operation, api.operations)),
        methods="\n".join(methods).rstrip(),
    )
