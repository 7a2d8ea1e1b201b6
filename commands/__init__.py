"""The verbs of the command line, one file each: parse, call the library, report.

`options` says what a flag means wherever it occurs, `console` is how a run speaks. What
was typed becomes what a run takes in `api`. No arithmetic and no files here.
"""

__all__: list[str] = []
