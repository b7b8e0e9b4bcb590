#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What tests do to MongoDB, through pymongo.

    mongo.py URI/DATABASE load [FILE]   Extended JSON lines into forms and responses, by their shape
    mongo.py URI/DATABASE do [ARG...]   runs Python from standard input, with db, ObjectId, datetime, args at hand
    mongo.py URI/DATABASE drop          drops the database
"""

import datetime
import sys

import bson
import bson.raw_bson
from bson import json_util
from bson.objectid import ObjectId
import pymongo

OPTIONS = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL,
                                document_class=dict, tz_aware=True)


def collection_of(document):
    return "responses" if "formId" in document else "forms"


def load(db, lines, batch=500):
    """Inserts in the order given, in batches per collection."""
    waiting, last = [], None

    def flush():
        if waiting:
            db[last].insert_many(waiting)
            waiting.clear()

    for line in lines:
        if not line.strip():
            continue
        document = json_util.loads(line, json_options=OPTIONS)
        name = collection_of(document)
        if name != last or len(waiting) >= batch:
            flush()
            last = name
        waiting.append(document)
    flush()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    client = pymongo.MongoClient(sys.argv[1], serverSelectionTimeoutMS=10000)
    db, verb, args = client.get_default_database(), sys.argv[2], sys.argv[3:]
    if verb == "load":
        load(db, open(args[0], encoding="utf-8") if args else sys.stdin)
    elif verb == "do":
        names = {"db": db, "client": client, "ObjectId": ObjectId, "datetime": datetime.datetime,
                 "timedelta": datetime.timedelta, "timezone": datetime.timezone, "bson": bson,
                 "pymongo": pymongo, "args": args, "sys": sys}
        exec(compile(sys.stdin.read(), "<test>", "exec"), names)
    elif verb == "drop":
        client.drop_database(db.name)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
