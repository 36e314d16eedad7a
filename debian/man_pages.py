#!/usr/bin/env python3
"""Makes the man pages from what the programs say of themselves, so that they are never behind.

    debian/man_pages.py BIN_DIRECTORY OUT_DIRECTORY

CLI11 prints help in one form: a description, "Usage:", lists of options and commands, then the program's own
last words. Each command's help is asked for in turn. What help does not say (files, signals) is below.
"""

import os
import re
import subprocess
import sys
import time

SEE_ALSO = {
    "carillond": ["carillon.toml(5)", "carillon(1)", "carillon-replay(1)"],
    "carillon": ["carillond(8)", "carillon-load(1)"],
    "carillon-load": ["carillond(8)", "carillon(1)"],
    "carillon-replay": ["carillond(8)", "carillon(1)"],
    "carillon.toml": ["carillond(8)"],
}
# section, what `whatis` says, and more sections
PAGES = {
    "carillond": (8, "durable timer for other programs", r"""
.SH FILES
.TP
.I /etc/carillon/carillon.toml
Settings of the service; see
.BR carillon.toml (5).
.TP
.I /var/lib/carillon/data
The tasks of the service. They stay when the package is removed, and go when it is purged.
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
Stop: finish requests and pushes under way, close the store. A second one ends the process at once; nothing that
was acknowledged is lost by that.
.TP
.B SIGHUP
Read the configuration and the TLS files again.
.SH EXIT STATUS
.TP
.B 0
Stopped, as it was told.
.TP
.B 1
The start failed: a bad configuration, an address in use, a data directory that is in use, newer or damaged.
.TP
.B 2
The command line makes no sense.
.TP
.B 3
Storage failed. Nothing that was acknowledged is lost; mend the disk and start again.
.TP
.B 4
Memory ran out.
"""),
    "carillon": (1, "talk to a Carillon server", ""),
    "carillon-load": (1, "generate load on a Carillon server and receive its pushes", ""),
    "carillon-replay": (1, "check, export and rebuild the data directory of a Carillon server", ""),
}
TOML_INTRO = r"""
The file is TOML. A setting \fIa.b\fR is the key \fIb\fR of the table \fI[a]\fR. An unknown key, a wrong type or a value
out of bounds ends the start of
.BR carillond (8)
with a line that says which;
.B carillond --check-config --config
.I FILE
checks a file beforehand. Each setting also has an environment variable, which beats the file: \fICARILLON_A_B\fR for
\fIa.b\fR.
.SH SETTINGS
"""
TOML_END = r"""
.SH TABLES
.TP
.B [targets.\fINAME\fP]
Where due tasks go.
.TP
.B [url_defaults]
How tasks are pushed that bring a URL instead of the name of a target.
.TP
.B [lanes.\fINAME\fP]
Which tasks go first where pushes are limited.
.TP
.B [[tokens]]
Who may do what: \fIname\fR, \fIrole\fR (read, write or admin), and one of \fIenv\fR, \fIfile\fR and \fIsha256\fR.
.PP
/usr/share/doc/carillon/docs/configuration.md says what they hold.
"""


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def capital(text):
    return text[:1].upper() + text[1:]


def help_of(program, *command):
    done = subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


class Help:
    """The parts of one help text: description, usage, rows of each list, and the footer's lines."""

    def __init__(self, text):
        head, usage, rest = re.fullmatch(r"(.*?)\nUsage: (.*?)\n(.*)", text, re.DOTALL).groups()
        self.description, self.usage = head.strip(), usage
        rest, _, footer = rest.partition("\n\n\n")
        self.footer = footer.strip("\n").splitlines()
        self.lists = {}
        rows = []
        for line in rest.splitlines():
            if heading := re.fullmatch(r"(Options|Positionals|Subcommands):", line):
                rows = self.lists.setdefault(heading[1], [])
            elif group := re.fullmatch(r"\[Option Group: (.*)\]", line):
                rows = self.lists.setdefault("Options", [])
            elif entry := re.fullmatch(r"\s{2,4}(\S.*?)(?:\s{2,}(\S.*))?", line):
                if re.match(r"\S+ .*(exactly|at most) one of|\[(Exactly|At most) |Options:$", entry[1]):
                    continue  # a group says in words what the usage line shows
                rows.append([entry[1], entry[2] or ""])
            elif line.strip() and rows:
                rows[-1][1] = f"{rows[-1][1]} {line.strip()}".strip()


def rows_as_roff(rows):
    out = []
    for name, meaning in rows:
        if name == "-h,--help" or name.endswith(":"):
            continue  # said by every command; a footer's line
        bold = re.match(r"\S+", name)[0]
        value = name[len(bold):].replace(" REQUIRED", " (required)").replace('"', "'")
        out += [".TP", f'.BR "{roff(bold)}" "{roff(value)}"', capital(roff(meaning))]
    return out


def footer_as_roff(lines):
    """Examples as they stand; exit codes as a list; what else there is as prose."""
    text = "\n".join(lines)
    out, notes = [], []
    for block in re.split(r"\n(?=Examples:|Exit codes:)|(?<=.)\n\n(?=[A-Z-])", text):
        if block.startswith("Examples:"):
            out += [".SH EXAMPLES", ".nf", *[roff(line[2:]) for line in block.splitlines()[1:]], ".fi"]
        elif block.startswith("Exit codes:"):
            out.append(".SH EXIT STATUS")
            for code, meaning in re.findall(r"(\d) (.*?)(?:, (?=\d )|\.?$)", " ".join(block[11:].split())):
                out += [".TP", f".B {code}", capital(roff(meaning)) + "."]
        elif block.strip():
            notes += [".PP", roff(" ".join(block.split()))]
    return out + ([".SH NOTES", *notes[1:]] if notes else [])


def commands_as_roff(program, name, found):
    out = []
    for command, _ in found.lists.get("Subcommands", []):
        words = [*name.split()[1:], command]
        inner = Help(help_of(program, *words))
        if "Subcommands" in inner.lists:
            out += commands_as_roff(program, f"{name} {command}", inner)
            continue
        out += [f".SS \"{roff(inner.usage)}\"", roff(inner.description) + "."]
        rows = inner.lists.get("Positionals", []) + inner.lists.get("Options", [])
        out += rows_as_roff(rows)
    return out


def page(name, section, what, body, version):
    date = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    see = ", ".join(re.sub(r"(.*)\((\d)\)", r"\\fB\1\\fR(\2)", one) for one in SEE_ALSO[name])
    return "\n".join([
        f'.TH {name.upper()} {section} {date} "Carillon {version}"', ".SH NAME", f"{roff(name)} \\- {what}", *filter(None, body),
        ".SH SEE ALSO", roff(see).replace("\\e", "\\"), ""])


def program_page(bin_dir, name, version):
    section, what, more = PAGES[name]
    program = os.path.join(bin_dir, name)
    found = Help(help_of(program))
    body = [".SH SYNOPSIS", f".B {name}", roff(found.usage.removeprefix(name).strip()), ".SH DESCRIPTION",
            capital(roff(found.description.removeprefix(f"{name}: ")).rstrip(".")) + ".",
            ".SH OPTIONS", *rows_as_roff(found.lists["Options"])]
    if commands := commands_as_roff(program, name, found):
        body += [".SH COMMANDS", *commands]
    if name != "carillond":  # whose footer is carillon.toml(5)
        body += footer_as_roff(found.footer)
    return section, page(name, section, what, [*body, more.strip()], version)


def settings_page(bin_dir, version):
    text = help_of(os.path.join(bin_dir, "carillond"))
    body = [".SH DESCRIPTION", TOML_INTRO.strip()]
    found = re.findall(r"^  (\S+) = (.*)\n      (.*)$", text, re.MULTILINE)
    if len(found) < 50:
        sys.exit("man_pages: carillond --help lists its settings in another form than this program knows")
    for key, value, meaning in found:
        value = "the number of processors less one, from 1 to 8" if key == "http.threads" else value.strip("()")
        body += [".TP", f".B {roff(key)}", f"{capital(roff(meaning))}. Default: {roff(value)}."]
    return page("carillon.toml", 5, "settings of carillond", [*body, TOML_END.strip()], version)


def main():
    bin_dir, out_dir = sys.argv[1:]
    os.makedirs(out_dir, exist_ok=True)
    version = subprocess.run([os.path.join(bin_dir, "carillond"), "--version"], capture_output=True, text=True,
                             check=True).stdout.split()[-1]
    pages = {f"{name}.{section}": text
             for name in PAGES for section, text in [program_page(bin_dir, name, version)]}
    pages["carillon.toml.5"] = settings_page(bin_dir, version)
    for name, text in pages.items():
        with open(os.path.join(out_dir, name), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
