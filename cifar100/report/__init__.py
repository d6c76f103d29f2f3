"""From notebooks to pages: run them, check them, write a site that works offline.

`build.build` does it all; the order of the modules is the order of the work:
sources (what a report is made from), runner and execute (run what changed); tables,
units, terms, prose, sanitise, figures, outputs and pages (one page); words, verdicts,
explorer, measured and searching (what other pages say), assets, site and links (the
whole), printing (one PDF), folder (put it in place).
"""

import sys

# nbformat imports jsonschema, which compiles 38 grammars of addresses as soon as this
# package is there: two seconds of each process, for formats that no schema of notebooks
# asks for (python-jsonschema/jsonschema, issue 1428). Hidden, it is done without.
sys.modules.setdefault("rfc3987_syntax", None)
