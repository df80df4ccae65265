"""Chromium without a window, asked over its DevTools protocol: what a page looks like, asks for and complains about."""

import asyncio
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
SECONDS = 60.0

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class Tab:
    """A page in a browser.

    Attributes:
        events: what the browser told since: methods and parameters of the protocol.
    """

    def __init__(self, socket: Any, loop: asyncio.AbstractEventLoop, session: str) -> None:
        self.socket, self.loop, self.session = socket, loop, session
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._numbers = itertools.count(100)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        return self.loop.run_until_complete(asyncio.wait_for(self._call(method, parameters), SECONDS))

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, "sessionId": self.session}
        await self.socket.write_message(json.dumps(message))
        while True:
            answer = json.loads(await self.socket.read_message())
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            if "method" in answer:
                self.events.append((answer["method"], answer["params"]))

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in JavaScript, or of what it promises. The page's policy does not forbid it."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, page: Path | str, width: int = 1280, height: int = 900) -> None:
        """Opens a file or an address in a window of this size, and waits until all of it is there."""
        address = page if isinstance(page, str) else page.as_uri()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        self.call("Page.navigate", url=address)
        end = time.monotonic() + SECONDS
        while self.evaluate("document.readyState + ' ' + location.href") != f"complete {address}":
            assert time.monotonic() < end, f"{address} does not load"
            time.sleep(0.05)


@contextmanager
def browser() -> Iterator[Tab]:
    """A browser of its own, and a page in it."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="sidebyside-test-", ignore_cleanup_errors=True) as profile:
        words = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
        ]
        process = subprocess.Popen([CHROMIUM, *words, "about:blank"], stderr=subprocess.PIPE, text=True)
        loop = asyncio.new_event_loop()
        try:
            assert process.stderr is not None
            address = (
                next(line for line in process.stderr if "DevTools listening on" in line).rpartition(" ")[2].strip()
            )

            socket, session = loop.run_until_complete(asyncio.wait_for(_connected(address), SECONDS))
            tab = Tab(socket, loop, session)
            for domain in ("Page", "Network", "Log", "Runtime"):
                tab.call(f"{domain}.enable")
            yield tab
            tab.socket.close()
        finally:
            process.terminate()
            process.communicate()
            loop.close()


async def _connected(address: str) -> tuple[Any, str]:
    """The browser's socket, and the session of a new page in it."""
    from tornado.websocket import websocket_connect

    socket = await websocket_connect(address, max_message_size=2**28)

    async def ask(number: int, method: str, **parameters: Any) -> dict[str, Any]:
        await socket.write_message(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(await socket.read_message())).get("id") != number:  # type: ignore[arg-type]
            pass
        result: dict[str, Any] = answer["result"]
        return result

    target = await ask(1, "Target.createTarget", url="about:blank")
    attached = await ask(2, "Target.attachToTarget", targetId=target["targetId"], flatten=True)
    return socket, attached["sessionId"]
