"""Prepare the data of the OCR example: lines of real words in several fonts, with noise, as pictures of 24 x 128.

The words are those of Python's own help texts (`pydoc_data`), the fonts those that come with matplotlib. No line of
one split stands in another. `test/` is read by the final report alone.
"""

import argparse
import json
import random
import re
from pathlib import Path
from pydoc_data.topics import topics

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SAMPLES = {"train": 3000, "valid": 600, "test": 600}
HEIGHT, WIDTH = 24, 128
LETTERS = "abcdefghijklmnopqrstuvwxyz "
LONGEST = 12
FONTS = ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono"]


def lines(count: int, choose: random.Random) -> list[str]:
    """Different lines of one to three words that follow one another in the texts."""
    words = re.findall(r"[a-z]{2,}", " ".join(topics.values()).lower())
    found: dict[str, None] = {}
    while len(found) < count:
        at = choose.randrange(len(words) - 3)
        line = " ".join(words[at : at + choose.randint(1, 3)])
        if len(line) <= LONGEST:
            found[line] = None
    return list(found)


def picture(line: str, fonts: list[ImageFont.FreeTypeFont], choose: random.Random) -> Image.Image:
    """The line, dark on light, somewhat shifted, with grain."""
    font = choose.choice(fonts)
    page = Image.new("L", (WIDTH, HEIGHT), 255)
    left, _, right, bottom = font.getbbox(line)
    at = (choose.randint(1, max(1, WIDTH - (right - left) - 1)) - left, choose.randint(1, max(1, HEIGHT - bottom)))
    ImageDraw.Draw(page).text(at, line, fill=choose.randint(0, 90), font=font)
    grain = np.random.default_rng(choose.getrandbits(32)).normal(0, 24, (HEIGHT, WIDTH))
    return Image.fromarray(np.clip(np.asarray(page) + grain, 0, 255).astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write dataset/prepdata/v1 of the OCR example into a workspace.")
    parser.add_argument("workspace", type=Path)
    prepdata = parser.parse_args().workspace / "dataset" / "prepdata" / "v1"

    choose = random.Random(42)
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = [ImageFont.truetype(str(folder / f"{name}.ttf"), size) for name in FONTS for size in (13, 14)]
    left = lines(sum(SAMPLES.values()), choose)
    for split, count in SAMPLES.items():
        home = prepdata / split
        home.mkdir(parents=True, exist_ok=True)
        rows = []
        for number in range(count):
            line = left.pop()
            picture(line, fonts, choose).save(home / f"{number:05d}.png")
            rows.append({"sample_id": f"{split}-{number:05d}", "path": f"{number:05d}.png", "text": line})
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (home / f"{split}.jsonl").write_text(text, encoding="utf-8")
    splits = {split: {"num_samples": count} for split, count in SAMPLES.items()}
    stats = {"task_type": "ocr-recognition", "characters": LETTERS, "splits": splits}
    (prepdata / "stats.json").write_text(json.dumps(stats, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
