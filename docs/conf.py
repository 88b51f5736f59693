# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How Sphinx builds this documentation: `make docs`."""

import sys
from pathlib import Path

from socorro import __version__

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "Socorro"
author = "the Socorro contributors"
project_copyright = "the Socorro contributors; MPL 2.0"
version = release = __version__

extensions = ["myst_parser", "declared"]
exclude_patterns = ["_build", "examples", "extensions"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Socorro {release}"
html_show_sphinx = False
# The pages must be readable without asking other hosts for anything.
html_theme_options = {
    "source_view_link": "",
    "source_edit_link": "",
}
html_copy_source = False
html_show_sourcelink = False
