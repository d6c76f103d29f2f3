"""Build the report: `python build_report.py`, then open `report/index.html`.

python build_report.py                    # from recorded runs; trains nothing
python build_report.py --only 05,06       # these two, and what is up to date
python build_report.py --profile quick    # trains the live cells
python build_report.py --pdf              # prints it into one PDF besides
"""

import argparse
import sys
from pathlib import Path

from cifar100.errors import UserError, WorkError, one_line
from cifar100.interrupts import heed
from cifar100.report.build import Options, build
from cifar100.training.profiles import PROFILES


class Parser(argparse.ArgumentParser):
    """argparse, with errors in one line."""

    def error(self, message: str):
        print(f"error: {message}", file=sys.stderr)
        raise SystemExit(2)


def read_options(arguments: list[str]) -> Options:
    """The command line as options; SystemExit(2) after one line for wrong input."""
    parser = Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    defaults = Options()
    add = parser.add_argument
    add("--profile", default=defaults.profile, help=f"{', '.join(PROFILES)}; read")
    add("--only", metavar="05,06", help="only these notebooks")
    add("--jobs", type=int, default=defaults.jobs, help="notebooks at a time; 2")
    add("--output", type=Path, default=defaults.output, help="folder; report/")
    add("--strict", action="store_true", help="a warning fails the build")
    add("--pdf", action="store_true", help="print it, too (needs Chromium)")
    given = parser.parse_args(arguments)
    given.only = words_of(given.only, parser)
    return Options(**vars(given))


def words_of(only: str | None, parser: Parser) -> list[str]:
    """`"05, 06"` as `["05", "06"]`; an empty list only when nothing was given."""
    if only is None:
        return []
    words = [word.strip() for word in only.split(",") if word.strip()]
    return words or parser.error("--only: names no notebook, e.g. --only 05,06")


def main() -> int:
    """Exit status: 0, 1 when the work failed, 2 for wrong input, 130 interrupted."""
    heed()
    try:
        options = read_options(sys.argv[1:])
        index = build(options, lambda line: print(line, flush=True))
    except UserError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    except WorkError as error:  # a line for each notebook that failed
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; the last report is untouched", file=sys.stderr)
        return 130
    print(index.as_uri())
    return 0


if __name__ == "__main__":
    sys.exit(main())
