"""What a reader does and sees, in the words of the pages."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    TimeoutError,
    expect,
)

PATIENCE = 240_000
PAGES = {
    "Data": "",
    "Geometry": "geometry",
    "Phantom drift": "drift",
    "Compare": "compare",
    "Neighbours": "neighbours",
    "Encode": "encode",
    "Training": "training",
    "Report": "report",
}
# Streamlit asks for these below the page's own path first when a page is opened by its link.
HARMLESS = re.compile(r"/\w+/_stcore/(health|host-config)$")
SETTLED = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    if (!app || app.dataset.testScriptState !== 'notRunning') return false;
    if (document.querySelector('[data-stale=true]')) return false;
    // What stands in for an element whose script the browser still loads.
    if (document.querySelector('[data-testid=stSkeleton]')) return false;
    if (/^Working: /m.test(app.innerText)) return false;
    return [...document.querySelectorAll('.js-plotly-plot')].every((plot) => plot._fullLayout);
}"""


class Visit:
    """One reader with a browser profile of their own; `faults` collects what must not happen."""

    def __init__(self, context: BrowserContext, server: str):
        self.context = context
        self.server = server
        self.faults: list[str] = []
        self.patience = PATIENCE
        self.calm = 350
        context.on("request", self._check_host)
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))

    def _check_host(self, request: Request) -> None:
        if not request.url.startswith((self.server, "data:", "blob:", "file:")):
            self.faults.append(f"request to another host: {request.url}")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not HARMLESS.search(message.location.get("url", "")):
            self.faults.append(f"console: {message.text} ({message.location.get('url')})")

    def open(self, address: str = "") -> Visit:
        """Go to a page by its link."""
        self.page.goto(f"{self.server}/{address}")
        return self.settle()

    def settle(self) -> Visit:
        """Wait until nothing runs, computes or draws, and that has held for a moment."""
        for _ in range(2):
            self.page.wait_for_function(SETTLED, timeout=self.patience)
            self.page.wait_for_timeout(self.calm)
        self.page.wait_for_function(SETTLED, timeout=self.patience)
        return self

    def turn_to(self, title: str) -> Visit:
        """Go to a page by the navigation at the top."""
        self.page.get_by_role("link", name=title, exact=True).first.click()
        expect(self.page.get_by_role("heading", name=title, level=1)).to_be_visible(timeout=self.patience)
        return self.settle()

    def press(self, name: str | re.Pattern) -> Visit:
        """Click a button."""
        self.button(name).click()
        return self.settle()

    def button(self, name: str | re.Pattern) -> Locator:
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str)).first

    def keyed(self, key: str) -> Locator:
        """The element that the pages gave this key."""
        return self.page.locator(f".st-key-{key}").first

    def plots(self) -> Locator:
        return self.page.locator(".js-plotly-plot:visible")

    def text(self) -> str:
        return self.page.locator("[data-testid=stMain]").inner_text()

    def download(self, name: str, folder: Path) -> Path:
        """Click a download button, and once more where nothing comes of it; the file."""
        try:
            with self.page.expect_download(timeout=self.patience / 4) as waiting:
                self.button(name).click()
        except TimeoutError:
            # A page that ran again between the click and its answer has forgotten what was asked for, and
            # says for five seconds that it failed.
            with self.page.expect_download(timeout=self.patience) as waiting:
                self.button(name).click()
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    def choose(self, label: str, option: str) -> Visit:
        """Pick an entry of a select box."""
        box = self.page.get_by_role("combobox", name=re.compile(re.escape(label)))
        box.first.click()
        self.page.get_by_role("option", name=option, exact=True).click()
        return self.settle()

    def upload(self, target: Path, source: Path | None = None) -> Visit:
        """Open files through the upload tab of the Data page."""
        self.page.get_by_role("tab", name="Upload").click()
        inputs = self.page.locator("input[type=file]")
        files = [target] if source is None else [target, source]
        for index, file in enumerate(files):
            inputs.nth(index).set_input_files(str(file))
            chip = self.page.get_by_test_id("stFileChip").filter(has_text=file.name)
            expect(chip).to_be_visible(timeout=self.patience)
            expect(self.page.get_by_test_id("stFileChipIconSpinner")).to_have_count(0, timeout=self.patience)
            self.settle()
        self.press("Read the files")
        # The fields are empty again once their files were read.
        expect(self.page.get_by_test_id("stFileChip")).to_have_count(0, timeout=self.patience)
        return self.settle()

    def sideways(self) -> int:
        """Pixels by which the page is wider than the window."""
        return self.page.evaluate(
            """() => {
                const main = document.querySelector('[data-testid=stMain]');
                return Math.max(document.documentElement.scrollWidth - window.innerWidth,
                    main ? main.scrollWidth - main.clientWidth : 0);
            }"""
        )
