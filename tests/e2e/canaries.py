"""Words that stand nowhere else, planted in everything that a caller sends, and the search for them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from sqlalchemy import create_engine, inspect, text

from service.store.sqlite import sqlite_url

_MARK = "Zqx"


class Canaries:
    """`plant` makes a word for a place; `found_in` says which places' words stand in something."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}

    def plant(self, place: str) -> str:
        """The word of a place, as "resume" or "candidate id"; letters and digits."""
        return self._words.setdefault(place, f"{_MARK}{re.sub('[^a-z]', '', place)}{len(self._words):03}w")

    def found_in(self, content: bytes) -> set[str]:
        """Places whose words stand there, in any case, also in base64, in hexadecimal or in UTF-16."""
        lower = content.lower()
        found = set()
        for place, word in self._words.items():
            plain = word.lower()
            shapes = (
                plain.encode(),
                plain.encode("utf-16-le"),
                word.encode().hex().encode(),
            )
            if any(shape in lower for shape in shapes) or any(shape in content for shape in _in_base64(word)):
                found.add(place)
        return found


def _in_base64(word: str) -> Iterator[bytes]:
    """What base64 makes of it, whatever stands before: the characters that are its own alone."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + word.encode())
        yield coded[(before * 8 + 5) // 6 : len(word.encode()) * 8 // 6]


def in_urls(word: str) -> str:
    return quote(word, safe="")


def columns_with(canaries: Canaries, file: Path) -> dict[str, set[str]]:
    """Of a SQLite database: "table.column" -> places whose words stand in it."""
    found: dict[str, set[str]] = {}
    with closing(create_engine(sqlite_url(file)).raw_connection()) as raw:
        raw.close()
    engine = create_engine(sqlite_url(file))
    try:
        for table in inspect(engine).get_table_names():
            with engine.connect() as connection:
                for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                    for column, value in row.items():
                        content = value if isinstance(value, bytes) else str(value).encode()
                        if places := canaries.found_in(content):
                            found.setdefault(f"{table}.{column}", set()).update(places)
    finally:
        engine.dispose()
    return found


def files_with(canaries: Canaries, folders: Iterable[Path]) -> dict[str, set[str]]:
    """Files, by name and content, with words in them."""
    found = {}
    for folder in folders:
        for file in folder.rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            if places := canaries.found_in(str(file.relative_to(folder)).encode() + b"\n" + content):
                found[file.name] = places
    return found


def open_files_with(canaries: Canaries, pids: Iterable[int]) -> dict[str, set[str]]:
    """As `files_with`, of files that processes have open, also those without a name."""
    found = {}
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if link.is_file() and (places := canaries.found_in(link.read_bytes())):
                found[str(link.readlink())] = places
    return found


@contextmanager
def listener() -> Iterator[tuple[str, list[tuple[str, Mapping[str, str], bytes]]]]:
    """A web server that takes whatever is posted: its address, and path, headers and body of what came."""
    got: list[tuple[str, Mapping[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.path, dict(self.headers.items()), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
