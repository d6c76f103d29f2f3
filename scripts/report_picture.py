"""Takes the picture of the report that README shows: the top of its first page.

    python scripts/report_picture.py

Needs a report in `report/` and Chromium. The first page shows no picture of the data
set; a page that does must not be taken.
"""

import io
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

from cifar100 import paths
from cifar100.errors import UserError
from cifar100.report.printing import find_chromium

LIMIT = 150_000  # bytes
LOOK = {"viewport": {"width": 1280, "height": 1240}, "device_scale_factor": 1.25}


def main() -> int:
    index = paths.root() / "report" / "index.html"
    if not index.is_file():
        print("error: no report in report/; `make report` builds it", file=sys.stderr)
        return 2
    try:
        browser_path = find_chromium("the picture")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(**LOOK)
        page.goto(index.as_uri())
        page.evaluate("document.fonts.ready.then(() => true)")
        shown = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    picture = paths.package_root() / "docs" / "report.webp"
    shown.save(picture, quality=82, method=6)
    size = picture.stat().st_size
    print(f"{picture}: {size:,} bytes")
    return int(size > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
