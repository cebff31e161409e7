"""`make fuzz`: each target for so many seconds under atheris; what breaks one is saved, and printed as a test.

What was learnt is kept in `var/fuzz/TARGET/corpus` and is where the next run begins.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.seeds import SEEDS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "var/fuzz"
LONGEST_INPUT_OCTETS = {"pdu": 600, "receipt": 400, "gsm": 200, "numbers": 200}
USUAL_LONGEST_INPUT_OCTETS = 2_000
LONGEST_UNIT_S = 10  # an input that takes longer is a fault, too
START_S = 120  # for imports, beyond the seconds asked for
MOST_MEMORY_MB = 1_024
SHOWN_LINES = 40


def main() -> int:
    """Fuzz what the arguments name, else everything; 1 where a target broke."""
    arguments = argparse.ArgumentParser(description="Fuzz what reads strangers' octets.")
    arguments.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    arguments.add_argument("targets", nargs="*", choices=[[], *SEEDS], help="which (default: all)")
    asked = arguments.parse_args()
    broken = [name for name in asked.targets or SEEDS if not fuzz(name, asked.seconds)]
    return 1 if broken else 0


def fuzz(name: str, seconds: int) -> bool:
    """One target; whether it held."""
    corpus, crashes = FOLDER / name / "corpus", FOLDER / name / "crashes"
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    for octets in SEEDS[name]:
        (corpus / hashlib.sha1(octets).hexdigest()).write_bytes(octets)
    known = set(crashes.iterdir())
    log = FOLDER / name / "log"
    began = time.monotonic()
    with log.open("wb") as output:
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST_INPUT_OCTETS.get(name, USUAL_LONGEST_INPUT_OCTETS)}",
            f"-timeout={LONGEST_UNIT_S}",
            f"-rss_limit_mb={MOST_MEMORY_MB}",
            f"-artifact_prefix={crashes}/",
            "-print_final_stats=1",
        ]
        argv = [sys.executable, "-m", "tests.fuzz.child", name, *options, str(corpus)]
        ended = subprocess.run(
            argv, check=False, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, timeout=seconds + START_S
        )
    words = log.read_text(errors="replace")
    inputs = re.search(r"stat::number_of_executed_units: *(\d+)", words) or re.search(r"#(\d+)\D*\Z", words)
    count = int(inputs[1]) if inputs else 0
    print(f"{name:<11} {count:>12,} inputs in {time.monotonic() - began:.0f} s: ", end="")
    if ended.returncode == 0:
        print("held", flush=True)
        return True
    print(f"BROKEN, {log.relative_to(ROOT)} ends:", *words.splitlines()[-SHOWN_LINES:], sep="\n    ")
    for crash in sorted(set(crashes.iterdir()) - known):
        print(f"\n{crash.relative_to(ROOT)} as a test:\n\n{as_test(name, crash.read_bytes())}", flush=True)
    return False


def as_test(name: str, octets: bytes) -> str:
    """A test for `test_targets.py` that fails as long as these octets break the target."""
    lines = [f'        "{piece}"' for piece in re.findall(".{1,100}", octets.hex())] or ['        ""']
    return "\n".join(
        [
            f"def test_{name}_holds_for_{hashlib.sha1(octets).hexdigest()[:8]}() -> None:",
            f'    TARGETS["{name}"](',
            "        bytes.fromhex(",
            *[f"    {line}" for line in lines],
            "        )",
            "    )",
        ]
    )


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
