"""What the writers of all languages use."""

import textwrap
from string import Template

# Each client has them by hand: batches are split, and exports read line by line.
BY_HAND = {"createTasks", "cancelTasks", "exportTasks"}

NOTICE = "Made by clients/generate.py from api/openapi.json."
WIDTH = 110


def fill(template, **values):
    return Template(template).substitute(NOTICE=NOTICE, **values)


def plain(doc):
    """Text that ends no comment."""
    return doc.replace("*/", "* /").replace("\\", "\\\\")


def wrapped(doc, indent):
    indents = {"initial_indent": indent, "subsequent_indent": indent}
    return textwrap.wrap(plain(doc), WIDTH, **indents, break_on_hyphens=False, break_long_words=False)


def star_doc(doc, indent):
    """A comment of TypeScript and Java."""
    one = f"{indent}/** {plain(doc)} */"
    if len(one) <= WIDTH:
        return one
    return "\n".join([f"{indent}/**", *wrapped(doc, f"{indent} * "), f"{indent} */"])


def hash_doc(doc, indent):
    """A comment of Python before what it is about."""
    return "\n".join(wrapped(doc, f"{indent}#: "))


def quoted_doc(doc, indent):
    """A docstring of Python."""
    doc = doc.replace('"""', "'''")
    one = f'{indent}"""{plain(doc)}"""'
    if len(one) <= WIDTH:
        return one
    return "\n".join([*wrapped('"""' + doc, indent), f'{indent}"""'])


def listed(begin, items, end, indent):
    """Python on one line where it fits, else an item on each."""
    one = f"{indent}{begin}{', '.join(items)}{end}"
    if len(one) <= WIDTH and "\n" not in one:
        return one
    return "\n".join([f"{indent}{begin}", *(f"{indent}    {item}," for item in items), f"{indent}{end}"])


def shown(api):
    """The operations whose methods are written here."""
    return [operation for operation in api.operations if operation.name not in BY_HAND]
