"""Rows of the E2E dataset ("meaning || sentence" lines) as JSON lines for mc: python3 rows.py valid.txt 960 > train.jsonl

The rows are spread over the file (row k is line 7919 k modulo the number of lines), as in the E2E tests.
"""

import json
import sys


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if "||" in line]
    for k in range(int(sys.argv[2])):
        meaning, sentence = lines[k * 7919 % len(lines)].split("||", 1)
        print(json.dumps({"prompt": meaning.strip() + " =>", "completion": sentence.strip()}, ensure_ascii=False))


main()
