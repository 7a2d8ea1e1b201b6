"""The documentation site: `make docs` builds it into build/docs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sphinx.application import Sphinx

from tfimpute_tracks import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
# Cells of notebooks call `tfimpute-tracks`, also where its environment is not active.
os.environ["PATH"] = os.pathsep.join(
    (str(Path(sys.executable).parent), os.environ["PATH"])
)

project = "tfimpute-tracks"
author = "the tfimpute-tracks developers"
project_copyright = author
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "verbs_page"]
exclude_patterns = ["_ext"]
smartquotes = False  # `--option` has two dashes
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["notebooks.css"]
html_title = f"tfimpute-tracks {release}"

# Notebooks are text, and run when the site is built.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

# Headings are link targets, as on the pages of a repository.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]
suppress_warnings = ["myst.strikethrough"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings give shapes, units and types
napoleon_google_docstring = False
napoleon_use_rtype = False


def setup(app: Sphinx) -> None:
    """Let links to files outside of this folder lead to the pages that include them.

    Parameters
    ----------
    app : Sphinx
    """

    def redirect(_: Sphinx, _page: str, source: list[str]) -> None:
        for name in ("CONTRIBUTING", "CHANGELOG"):
            source[0] = source[0].replace(f"](../{name}.md", f"]({name.lower()}.md")

    app.connect("source-read", redirect)
