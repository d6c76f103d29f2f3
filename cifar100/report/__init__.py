"""From notebooks to pages: run them, check them, write a site that works offline.

`build.build` does it all; the order of the modules is the order of the work:
sources (what a report is made from), runner and execute (run what changed); tables,
units, terms, prose, sanitise, figures, outputs and pages (one page); words, verdicts,
explorer, measured and searching (what other pages say), assets, site and links (the
whole), printing (one PDF), folder (put it in place).
"""
