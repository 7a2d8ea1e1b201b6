"""The commands that documents show: in blocks of code, and in the text."""

from __future__ import annotations

import re
import shlex
from string import Template

_COMMAND = re.compile(r"^ *(?:\$ )?(?:.+ \| )?(?:\.venv/bin/)?tfimpute-tracks (.+)$")
_VARIABLE = re.compile(r'^ *([A-Z]+)="([^"]*)"$')
# In the text a verb alone is its name; with a word after it, it is a command. Files of
# bulk stores are called "tfimpute-tracks bulk store", and some verbs have two words.
_INLINE = re.compile(r"`tfimpute-tracks (?!bulk |evidence [a-z]+`)([a-z]+ [^`]+)`")
_CUT = {"|", "&&", ";", ">", "2>", "2>&1", "#", "&"}


def _lines(text):
    """Yield (is code, line): lines of blocks of code, continued ones joined."""
    inside = False
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip().startswith("```"):
            inside = not inside
        else:
            yield inside or line.startswith("    "), line


def doc_commands(path):
    """Yield the words of each command; variables that a block sets are replaced."""
    values, prose = {}, []
    for is_code, line in _lines(path.read_text("utf-8")):
        if not is_code:
            prose.append(line)
            continue
        found = _VARIABLE.match(line)
        if found:
            values[found[1]] = found[2]
        found = _COMMAND.match(line)
        if found:
            text = Template(found[1]).safe_substitute(values)
            yield _words(text.replace(" ... ", " "))
    for found in _INLINE.findall(" ".join(prose)):
        yield _words(found)


def _words(text):
    words = shlex.split(text, comments=True)
    ends = [i for i, word in enumerate(words) if word in _CUT]
    return words[: ends[0]] if ends else words
