"""Memory and time of the command line on float16 pairs larger than its working memory, up to a million.

`run()` makes pairs of growing length block by block in a temporary folder and runs `align` into shards and
`analyze` on them in processes of their own. `resident` is the peak with the pages of mapped files, which the
system can take back at any time, `anonymous` without them (Linux alone). Beside each time stands the floor:
reading the files as often as the command goes over them, as float32, plus its matrix products, those of
the moments, of the neighbours and of the judged rows. Beside that stands what no such command is spared
either: to import torch and, for `align`, to write as many rows. Each is measured here, before and after
the command and taken as the mean of both, since other work on a shared host comes and goes.
"""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import show
from realign_core.linalg import add_gram
from realign_core.waiting import BRIEF

ROWS = (100_000, 300_000, 1_000_000)
DIM = 768
BLOCK = 8192
LIMIT_MB = 2000
EXPONENT = 1.05
OVER_FLOOR = 1.5
POLL_SECONDS = 0.1
IMPORTS = "import time, torch, {}; torch.eye(64) @ torch.eye(64); time.sleep(0.5)"
IMPORTED = {"align": "realign_core.alignment", "analyze": "realign_core.comparison"}
COMMANDS = {
    "align": ("align", "--method", "realign", "--out", "mapped/"),
    "analyze": ("analyze", "--methods", "identity,realign", "--json", "figures.json"),
}
READS = {"align": 6, "analyze": 13}
"""How often a whole file is read, of both together, as tests/cli/test_cli_reads.py counts it."""
PRODUCTS = {"align": 0, "analyze": 3}
"""Float64 products `X'X` of n rows: target, source, and the differences in two halves."""
GRAPHS = {"align": 0, "analyze": 19}
"""Float32 products of the scored rows with as many: of neighbours within a set, across, and of pairs."""
JUDGED = {"align": 0, "analyze": 20}
"""Float64 products `X'X` of the scored rows: of the sets, of what is left of them, and of differences."""
SCORED = 10_000


def run(rows: tuple[int, ...] = ROWS, dim: int = DIM) -> dict[str, Any]:
    """Times, floors, peak memory and how time grows with the rows, of each command at each length."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        imports = {
            label: watch([sys.executable, "-c", IMPORTS.format(module)], folder)
            for label, module in IMPORTED.items()
        }
        results: dict[str, Any] = {"dim": dim, "limit_mb": LIMIT_MB, "imports": imports, "runs": []}
        for n in rows:
            write_pair(folder, n, dim)
            for label, (command, *options) in COMMANDS.items():
                arguments = [command, "target.npy", "source.npy", *options]
                before = least(label, folder, n, dim)
                found = watch([sys.executable, "-m", "realign_core", *arguments], folder)
                after = least(label, folder, n, dim)
                shutil.rmtree(folder / "mapped", ignore_errors=True)
                parts = {name: round((before[name] + after[name]) / 2, 2) for name in before}
                entry = {"command": label, "rows": n, **found, **parts}
                if label == "analyze":
                    entry["stages"] = json.loads((folder / "figures.json").read_text())["seconds"]
                results["runs"].append(entry)
                print(f"  {entry}", flush=True)
    results["exponent"] = {label: exponent(results["runs"], label) for label in COMMANDS}
    peaks = [entry["resident_mb"] for entry in results["runs"]]
    # At the longest, since starting and scores of a sample take as long at every length.
    longest = [entry for entry in results["runs"] if entry["rows"] == rows[-1]]
    results["over_floor"] = {entry["command"]: entry["seconds"] / entry["floor"] for entry in longest}
    results["over_unavoidable"] = {
        entry["command"]: entry["seconds"] / sum(entry[part] for part in ("floor", "starting", "writing"))
        for entry in longest
    }
    results["within"] = (
        max(peaks) < LIMIT_MB
        and max(results["exponent"].values()) <= EXPONENT
        and max(results["over_floor"].values()) <= OVER_FLOOR
    )
    show(
        (
            f"{entry['command']}, {entry['rows']:,} rows",
            f"{entry['seconds']:.1f} s, processor {entry['cpu_seconds']:.1f} s, "
            f"floor {entry['floor']:.1f} s and {entry['starting']:.1f} s of starting, "
            f"{entry['writing']:.1f} s of writing; "
            f"peak {entry['resident_mb']} MB (at most {LIMIT_MB})",
        )
        for entry in results["runs"]
    )
    show((f"{label}, exponent (at most {EXPONENT})", f"{v:.2f}") for label, v in results["exponent"].items())
    beside = results["over_unavoidable"]
    show(
        (
            f"{label}, over its floor (at most {OVER_FLOOR})",
            f"{over:.2f}; with starting and writing {beside[label]:.2f}",
        )
        for label, over in results["over_floor"].items()
    )
    return results


def least(label: str, folder: Path, n: int, dim: int) -> dict[str, float]:
    """Seconds of what a command cannot do without: its `floor`, `starting` with torch, and `writing`."""
    scored = min(n, SCORED)
    products = PRODUCTS[label] * product_seconds(n, dim) + JUDGED[label] * product_seconds(scored, dim)
    graphs = GRAPHS[label] * graph_seconds(scored, dim) if GRAPHS[label] else 0.0
    return {
        "floor": READS[label] * read_seconds(folder / "source.npy") + products + graphs,
        "starting": start_seconds(folder),
        "writing": write_seconds(folder, n, dim) if label == "align" else 0.0,
    }


def start_seconds(folder: Path) -> float:
    """Seconds of a process that imports torch and ends; the better of two."""
    return min(watch([sys.executable, "-c", "import torch"], folder)["seconds"] for _ in range(2))


def exponent(runs: list[dict[str, Any]], label: str) -> float:
    """Slope of the logarithm of processor time over that of the rows, from the shortest to the longest."""
    times = [(entry["rows"], entry["cpu_seconds"]) for entry in runs if entry["command"] == label]
    (few, quick), (many, slow) = times[0], times[-1]
    return round(math.log(slow / quick) / math.log(many / few), 3) if many > few else 1.0


def read_seconds(path: Path) -> float:
    """Seconds to read a file once, block by block, as float32 rows; the better of two.

    By torch, which widens float16 ten times as fast as NumPy.
    """
    import torch

    mapped = np.load(path, mmap_mode="r")
    times = []
    for _ in range(2):
        start = time.perf_counter()
        for first in range(0, len(mapped), BLOCK):
            torch.from_numpy(np.array(mapped[first : first + BLOCK])).float()
        times.append(time.perf_counter() - start)
    return min(times)


def product_seconds(n: int, dim: int) -> float:
    """Seconds of the float64 product `X'X` of n rows, from that of a few blocks, added up."""
    import torch

    block, total = torch.randn(BLOCK, dim, dtype=torch.float64), torch.zeros(dim, dim, dtype=torch.float64)
    add_gram(total, block)
    start = time.perf_counter()
    for _ in range(8):
        add_gram(total, block)
    return (time.perf_counter() - start) / 8 * n / BLOCK


def graph_seconds(n: int, dim: int) -> float:
    """Seconds of the float32 product of n rows with n others, block by block."""
    import torch

    rows = torch.randn(n, dim)
    out = torch.empty(1024, n)
    rows[:1024] @ rows.mT
    start = time.perf_counter()
    for first in range(0, n, 1024):
        block = rows[first : first + 1024]
        torch.mm(block, rows.mT, out=out[: len(block)])
    return time.perf_counter() - start


def write_seconds(folder: Path, n: int, dim: int) -> float:
    """Seconds to write n float16 rows and to have them on the disk."""
    block = np.random.default_rng(0).standard_normal((BLOCK, dim), dtype=np.float32).astype(np.float16)
    path = folder / "written.npy"
    start = time.perf_counter()
    with open(path, "wb") as file:
        for first in range(0, n, BLOCK):
            file.write(block[: n - first].data)
        os.fsync(file.fileno())
    seconds = time.perf_counter() - start
    path.unlink()
    return seconds


def write_pair(folder: Path, n: int, dim: int) -> None:
    """A pair with a shared signal of low rank, a constant gap and noise; float16, unit rows."""
    generator = np.random.default_rng(n)
    mixing = generator.standard_normal((64, dim), dtype=np.float32) / np.float32(np.sqrt(dim))
    gap = generator.standard_normal(dim, dtype=np.float32) / np.float32(np.sqrt(dim))
    shape = {"descr": "<f2", "fortran_order": False, "shape": (n, dim)}
    with open(folder / "target.npy", "wb") as target, open(folder / "source.npy", "wb") as source:
        for file in (target, source):
            np.lib.format.write_array_header_1_0(file, shape)
        for start in range(0, n, BLOCK):
            rows = min(BLOCK, n - start)
            signal = generator.standard_normal((rows, 64), dtype=np.float32) @ mixing / 8
            for file, sign in ((target, 1), (source, -1)):
                noise = generator.standard_normal((rows, dim), dtype=np.float32) / np.float32(4 * dim**0.5)
                block = signal + noise + sign * 0.4 * gap
                block /= np.linalg.norm(block, axis=1, keepdims=True)
                file.write(block.astype(np.float16).tobytes())


def watch(command: list[str], folder: Path) -> dict[str, Any]:
    """Run a command to its end; its wall time and its peak resident and anonymous memory in MB."""
    environment = {**os.environ, **BRIEF, "PYTHONPATH": str(Path(__file__).parents[1])}
    started, before = time.perf_counter(), cpu_of_children()
    with open(folder / "messages.txt", "w+b") as messages:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=messages
        )
        peak, anonymous = 0, None
        while process.poll() is None:
            memory = memory_of(process.pid)
            peak = max(peak, memory.get("VmHWM", 0))
            if "RssAnon" in memory:
                anonymous = max(anonymous or 0, memory["RssAnon"])
            time.sleep(POLL_SECONDS)
        seconds = time.perf_counter() - started
        if process.returncode:
            messages.seek(0)
            raise RuntimeError(f"{command} failed: {messages.read().decode()[-500:]}")
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_of_children() - before, 2),
        "resident_mb": round(peak / 1024),
        "anonymous_mb": None if anonymous is None else round(anonymous / 1024),
    }


def cpu_of_children() -> float:
    """CPU time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory_of(pid: int) -> dict[str, int]:
    """Peak resident and present anonymous memory of a process in kB; without /proc the resident alone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return _memory_from_ps(pid)
    fields = (line.split() for line in lines)
    return {
        words[0].rstrip(":"): int(words[1]) for words in fields if words[0].startswith(("VmHWM", "RssAnon"))
    }


def _memory_from_ps(pid: int) -> dict[str, int]:
    if sys.platform == "linux":
        return {}
    found = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True)
    return {"VmHWM": int(found.stdout)} if found.stdout.strip() else {}
