"""Browser: whether a page of the situation stays smooth while 200 incidents are open and much happens.

Run     `python tests/benchmarks/console/browser.py [updates a second] [seconds]`
Shape   the console of `viewers.py` in a process of its own, and Debian's Chromium that shows its page
Units   milliseconds: of tasks that kept the page from answering for 50 and more, and from a revision to its row
"""

import asyncio
import sys
from datetime import UTC, datetime

from playwright.async_api import Page, async_playwright

from tests.benchmarks.console import viewers
from tests.console.chromium import program
from vigie.broker import free_port

LONG = 200  # milliseconds that nothing may take
WATCH = """
() => {
  window.long = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.long.push(one.duration);
  }).observe({ type: "longtask" });
  window.delays = [];
  new MutationObserver((changes) => {
    const now = Date.now();
    const rows = new Set(changes.map((change) => change.target.closest?.("tr[data-raised]")));
    for (const row of rows) if (row) window.delays.push(now - 1000 * row.dataset.raised);
  }).observe(document.getElementById("rows"), { subtree: true, childList: true, attributes: true });
}
"""


async def measure(rate: float, seconds: float) -> None:
    """Start the console, show its page, and print what was seen."""
    port = free_port()
    child = await asyncio.create_subprocess_exec(sys.executable, viewers.__file__, "--serve", str(port), str(rate))
    try:
        await viewers.answers(port)
        await asyncio.sleep(viewers.INCIDENTS / rate + 1)  # all of them are open by then
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program(), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
            page = await browser.new_page(viewport={"width": 1920, "height": 1080})
            await page.goto(f"http://127.0.0.1:{port}/")
            await page.wait_for_function("document.querySelectorAll('.incident-mark').length > 0")
            await _show(page, rate, seconds)
            await browser.close()
    finally:
        child.terminate()
        await child.wait()


async def _show(page: Page, rate: float, seconds: float) -> None:
    await page.evaluate(WATCH)
    await page.wait_for_timeout(1000 * seconds)
    long: list[float] = await page.evaluate("long")
    delays: list[float] = sorted(await page.evaluate("delays"))
    rows = await page.locator("#rows tr").count()
    print(  # noqa: T201
        f"{datetime.now(UTC):%Y-%m-%d} {rows} incidents, {rate:g} updates a second for {seconds:g} s: "
        f"{len(long)} tasks of 50 ms and more, the longest {max(long, default=0):.0f} ms, "
        f"{sum(one >= LONG for one in long)} of {LONG} ms and more; "
        f"{len(delays) / seconds:.0f} rows a second drawn, p95 {delays[len(delays) * 95 // 100]:.0f} ms"
    )


if __name__ == "__main__":
    numbers = [float(one) for one in sys.argv[1:]] + [50, 20][len(sys.argv) - 1 :]
    asyncio.run(measure(numbers[0], numbers[1]))
