"""Tesseract reads one line of text: python inference_sample.py --input line.png

It has its row on the leaderboard where it is installed (Debian: apt install tesseract-ocr).
"""

import argparse
import shutil
import subprocess
import sys


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", required=True)
    picture = parser.parse_args().input
    if shutil.which("tesseract") is None:
        sys.exit("Expected the command tesseract, found none. Install it: apt install tesseract-ocr.")
    single_line = ["--psm", "7", "-c", "tessedit_char_whitelist=abcdefghijklmnopqrstuvwxyz "]
    read = subprocess.run(["tesseract", picture, "stdout", *single_line], capture_output=True, text=True, check=True)
    print(read.stdout.strip())


if __name__ == "__main__":
    main()
