"""The verbs of the command line, one file each: parse, call one function, report.

`options` says what a flag means wherever it occurs, `inputs` turns what was typed into
what a run takes, `console` is how a run speaks. No arithmetic and no files here.
"""

__all__: list[str] = []
