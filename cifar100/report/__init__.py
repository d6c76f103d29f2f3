"""From notebooks to pages: run them, check them, write a site that works offline.

`build.build` does it all; the order of the modules is the order of the work:
sources (what a report is made from), runner and execute (run what changed), prose,
sanitise, outputs and pages (one page), explorer (recorded runs as curves), site (the
whole), folder (put it in place).
"""
