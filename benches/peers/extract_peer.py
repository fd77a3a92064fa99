#!/usr/bin/env python3
"""Times extruct + price-parser on the pages of a manifest, one core.

usage: extract_peer.py MANIFEST.jsonl [ROUNDS]

Needs `pip install extruct price-parser` in an environment of its own. Prints one line (CPU time):
pages, milliseconds a page, pages a second, peak memory.
"""

import json
import pathlib
import resource
import sys
import time

import extruct
from price_parser import Price

SYNTAXES = ["json-ld", "microdata", "rdfa", "opengraph"]


def prices(node):
    """Every value under a price key, through price-parser."""
    if isinstance(node, dict):
        for key, value in node.items():
            if "price" in key.lower() and isinstance(value, (str, int, float)):
                Price.fromstring(str(value))
            prices(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            prices(value)


def main():
    manifest = pathlib.Path(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    pages = []
    for line in manifest.read_text().splitlines():
        entry = json.loads(line)
        body = (manifest.parent / entry["file"]).read_bytes()
        pages.append((body.decode("utf-8", "replace"), entry.get("url")))
    failed = 0
    started = time.process_time()
    for _ in range(rounds):
        for body, url in pages:
            try:
                prices(extruct.extract(body, base_url=url, syntaxes=SYNTAXES, errors="ignore"))
            except Exception:  # the peer gives up on some pages
                failed += 1
    seconds = (time.process_time() - started) / rounds
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(pages)} pages, {1000 * seconds / len(pages):.1f} ms/page, "
        f"{len(pages) / seconds:.1f} pages/s, peak {memory:.0f} MiB, {failed // rounds} failed"
    )


if __name__ == "__main__":
    main()
