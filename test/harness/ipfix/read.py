"""Reads messages of IPFIX and prints each record as a line of JSON: python3 read.py <file> <elements as JSON>."""

import json
import sys

import ipfix.ie
import ipfix.reader

ipfix.ie.use_iana_default()
ipfix.ie.use_5103_default()
for name, enterprise, number, type in json.loads(sys.argv[2]):
    ipfix.ie.for_spec(f"{name}({enterprise}/{number})<{type}>" if enterprise else f"{name}({number})<{type}>")

with open(sys.argv[1], "rb") as stream:
    for record in ipfix.reader.from_stream(stream).namedict_iterator():
        values = {
            name: int(value.timestamp() * 1000 + 0.5)
            if hasattr(value, "timestamp")
            else value.hex()
            if isinstance(value, (bytes, bytearray))
            else value
            for name, value in record.items()
        }
        print(json.dumps(values, default=str))
