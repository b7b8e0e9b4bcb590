#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the stand-in does, held against MongoDB's documentation.

With DUNE_TEST_MONGODB_URI set the same tests run against that replica set (6.0 or newer); parts
that need a program started with options of its own are then skipped. Else MONGO_STANDIN names the
program, which is started for the run. Each test has a database of its own and drops it.
"""
import datetime
import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

import bson
import bson.codec_options
import pymongo
from bson import (Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, SON,
                  Timestamp)
from pymongo import ASCENDING, DESCENDING, MongoClient, ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import standin as control_of  # noqa: E402

REAL = os.environ.get("DUNE_TEST_MONGODB_URI")
PROGRAM = os.environ.get("MONGO_STANDIN")


class Standin:
    """The program, started; ready once its URI has come."""

    def __init__(self, *options):
        self.process = subprocess.Popen([PROGRAM, *options], stdout=subprocess.PIPE)
        self.uri = self.process.stdout.readline().decode().strip()
        if not self.uri:
            raise RuntimeError("the stand-in ended with %s" % self.process.wait())
        self.address = self.uri.split("/")[2]

    def stop(self):
        self.process.terminate()
        self.process.stdout.close()
        return self.process.wait(10)


def own_options(test):
    return unittest.skipIf(REAL, "needs a program started with options of its own")(test)


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = None if REAL else Standin()
        cls.uri = REAL or cls.standin.uri
        cls.client = MongoClient(cls.uri, serverSelectionTimeoutMS=10000)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        if cls.standin:
            assert cls.standin.stop() == 0

    def setUp(self):
        self.db = self.client["selftest_%s" % uuid.uuid4().hex[:10]]
        self.c = self.db.c

    def tearDown(self):
        self.client.drop_database(self.db.name)

    def fails(self, code, fn, *args, **kw):
        with self.assertRaises(OperationFailure) as e:
            fn(*args, **kw)
        self.assertEqual(e.exception.code, code, e.exception)
        return e.exception

    def now(self):
        return self.client.admin.command("ping")["operationTime"]


class Server(Base):
    def test_hello(self):
        for name, primary in (("hello", "isWritablePrimary"), ("isMaster", "ismaster")):
            h = self.client.admin.command(name)
            self.assertTrue(h[primary])
            self.assertIn(h["me"], h["hosts"])
            self.assertEqual(h["primary"], h["me"])
            self.assertTrue(h["setName"])
            self.assertEqual(h["minWireVersion"], 0)
            self.assertGreaterEqual(h["maxWireVersion"], 9)
            self.assertEqual(h["logicalSessionTimeoutMinutes"], 30)
            self.assertEqual(h["maxBsonObjectSize"], 16777216)
            self.assertEqual(h["maxMessageSizeBytes"], 48000000)
            self.assertEqual(h["maxWriteBatchSize"], 100000)
            self.assertIn("localTime", h)
            self.assertIsInstance(h["operationTime"], Timestamp)
            self.assertIsInstance(h["$clusterTime"]["clusterTime"], Timestamp)

    def test_ping_build_info_parameters(self):
        self.assertEqual(self.client.admin.command("ping")["ok"], 1)
        info = self.client.server_info()
        self.assertEqual(info["version"].split(".")[0], str(info["versionArray"][0]))
        p = self.client.admin.command("getParameter", 1, featureCompatibilityVersion=1)
        self.assertIn("version", p["featureCompatibilityVersion"])
        self.assertIn("authInfo", self.client.admin.command("connectionStatus"))

    def test_unknown_command(self):
        e = self.fails(59, self.db.command, "noSuchThing")
        self.assertEqual(e.details["codeName"], "CommandNotFound")

    def test_times_move_with_writes(self):
        before = self.now()
        self.c.insert_one({})
        after = self.now()
        self.assertGreater(after, before)
        r = self.db.command("insert", "c", documents=[{"x": 1}])
        self.assertGreater(r["operationTime"], before)
        self.assertGreaterEqual(r["$clusterTime"]["clusterTime"], r["operationTime"])

    def test_catalog(self):
        self.db.create_collection("made")
        self.c.insert_one({"x": 1})
        self.assertEqual(sorted(self.db.list_collection_names()), ["c", "made"])
        self.assertIn(self.db.name, self.client.list_database_names())
        self.assertEqual(list(self.db.list_collections(filter={"name": "c"}))[0]["name"], "c")
        name = self.c.create_index([("x", ASCENDING)])
        self.assertEqual(set(self.c.index_information()), {"_id_", name})
        self.c.drop_index(name)
        self.assertEqual(set(self.c.index_information()), {"_id_"})
        self.c.rename("d")
        self.assertEqual(sorted(self.db.list_collection_names()), ["d", "made"])
        self.db.drop_collection("d")
        self.client.drop_database(self.db.name)
        self.assertEqual(self.db.list_collection_names(), [])
        self.fails(73, self.db.command, "insert", "a$b", documents=[{}])


class Writes(Base):
    def test_insert(self):
        self.assertEqual(len(self.c.insert_many([{"x": i} for i in range(1000)]).inserted_ids), 1000)
        self.assertEqual(self.c.count_documents({}), 1000)
        self.assertEqual(self.c.estimated_document_count(), 1000)

    def test_id_made_and_first(self):
        self.db.command("insert", "c", documents=[SON([("x", 1)])])
        d = self.c.find_one()
        self.assertIsInstance(d["_id"], ObjectId)
        self.db.command("insert", "c", documents=[SON([("x", 2), ("_id", 5)])])
        self.assertEqual(list(self.c.find_one({"_id": 5})), ["_id", "x"])

    def test_duplicate(self):
        self.c.insert_one({"_id": 1})
        with self.assertRaises(DuplicateKeyError) as e:
            self.c.insert_one({"_id": 1.0})
        self.assertEqual(e.exception.code, 11000)
        self.assertIn("E11000 duplicate key error", str(e.exception))
        self.assertEqual(e.exception.details["keyPattern"], {"_id": 1})
        self.assertEqual(e.exception.details["keyValue"], {"_id": 1})

    def test_ordered_and_unordered(self):
        docs = [{"_id": 1}, {"_id": 2}, {"_id": 1}, {"_id": 3}, {"_id": 2}]
        with self.assertRaises(BulkWriteError) as e:
            self.c.insert_many(docs)
        self.assertEqual(e.exception.details["nInserted"], 2)
        self.assertEqual([w["index"] for w in e.exception.details["writeErrors"]], [2])
        self.c.drop()
        with self.assertRaises(BulkWriteError) as e:
            self.c.insert_many(docs, ordered=False)
        self.assertEqual(e.exception.details["nInserted"], 3)
        self.assertEqual([w["index"] for w in e.exception.details["writeErrors"]], [2, 4])

    def test_bad_ids(self):
        for bad in ([1], Regex("x")):
            r = self.db.command("insert", "c", documents=[{"_id": bad}])
            self.assertEqual(r["n"], 0)
            self.assertEqual(len(r["writeErrors"]), 1)

    def test_unacknowledged(self):
        c = self.c.with_options(write_concern=pymongo.WriteConcern(w=0))
        for i in range(50):
            c.insert_one({"_id": i})
        end = time.time() + 10
        while self.c.count_documents({}) < 50 and time.time() < end:
            time.sleep(0.01)
        self.assertEqual(self.c.count_documents({}), 50)

    def test_update_operators(self):
        self.c.insert_one({"_id": 1, "n": 1, "a": [1, 2], "s": {"x": 1}, "gone": 1})
        r = self.c.update_one({"_id": 1}, {
            "$set": {"s.y": 2, "new.deep": 3}, "$unset": {"gone": ""}, "$inc": {"n": 2},
            "$push": {"a": 3}})
        self.assertEqual((r.matched_count, r.modified_count), (1, 1))
        self.assertEqual(self.c.find_one(), {"_id": 1, "n": 3, "a": [1, 2, 3],
                                             "s": {"x": 1, "y": 2}, "new": {"deep": 3}})
        self.assertEqual(self.c.update_one({"_id": 1}, {"$set": {"n": 3}}).modified_count, 0)
        self.c.update_one({"_id": 1}, {"$push": {"a": {"$each": [4, 5]}}, "$min": {"n": 0},
                                       "$max": {"s.x": 9}, "$mul": {"s.y": 2}})
        d = self.c.find_one()
        self.assertEqual((d["a"], d["n"], d["s"]), ([1, 2, 3, 4, 5], 0, {"x": 9, "y": 4}))
        self.c.update_one({"_id": 1}, {"$addToSet": {"a": 5}, "$rename": {"n": "m"}})
        self.c.update_one({"_id": 1}, {"$pull": {"a": {"$gte": 4}}})
        self.c.update_one({"_id": 1}, {"$pop": {"a": -1}, "$set": {"s.x": Int64(2 ** 40)}})
        d = self.c.find_one()
        self.assertEqual((d["a"], d["m"], d["s"]["x"]), ([2, 3], 0, 2 ** 40))
        self.assertNotIn("n", d)

    def test_update_many_replace_upsert(self):
        self.c.insert_many([{"_id": i, "x": i % 2} for i in range(10)])
        r = self.c.update_many({"x": 1}, {"$inc": {"y": 1}})
        self.assertEqual((r.matched_count, r.modified_count), (5, 5))
        r = self.c.replace_one({"_id": 0}, {"z": 1})
        self.assertEqual(r.modified_count, 1)
        self.assertEqual(self.c.find_one({"_id": 0}), {"_id": 0, "z": 1})
        r = self.c.update_one({"k": "v", "n": {"$gt": 5}}, {"$set": {"w": 1}}, upsert=True)
        self.assertIsNotNone(r.upserted_id)
        self.assertEqual(self.c.find_one({"_id": r.upserted_id}),
                         {"_id": r.upserted_id, "k": "v", "w": 1})
        r = self.c.update_one({"_id": "u"}, {"$setOnInsert": {"a": 1}}, upsert=True)
        self.assertEqual(r.upserted_id, "u")
        r = self.c.replace_one({"_id": "r"}, {"b": 1}, upsert=True)
        self.assertEqual((r.upserted_id, self.c.find_one({"_id": "r"})), ("r", {"_id": "r", "b": 1}))

    def test_update_errors(self):
        self.c.insert_one({"_id": 1, "s": "text"})
        one = {"_id": 1}
        self.fails(66, self.c.update_one, one, {"$set": {"_id": 2}})
        self.fails(66, self.c.replace_one, one, {"_id": 2})
        self.fails(40, self.c.update_one, one, {"$set": {"a": 1}, "$inc": {"a.b": 1}})
        self.fails(14, self.c.update_one, one, {"$inc": {"s": 1}})
        self.fails(28, self.c.update_one, one, {"$set": {"s.x": 1}})
        self.fails(9, self.c.update_one, one, {"$noSuch": {"s": 1}})
        self.fails(2, self.c.update_one, one, {"$push": {"s": 1}})

    def test_delete(self):
        self.c.insert_many([{"_id": i, "x": i % 2} for i in range(10)])
        self.assertEqual(self.c.delete_one({"x": 1}).deleted_count, 1)
        self.assertEqual(self.c.delete_many({"x": 1}).deleted_count, 4)
        self.assertEqual(self.c.delete_many({"x": 7}).deleted_count, 0)
        self.assertEqual(self.c.count_documents({}), 5)

    def test_bulk(self):
        r = self.c.bulk_write([
            pymongo.InsertOne({"_id": 1}), pymongo.UpdateOne({"_id": 1}, {"$set": {"x": 1}}),
            pymongo.UpdateOne({"_id": 2}, {"$set": {"x": 2}}, upsert=True),
            pymongo.ReplaceOne({"_id": 1}, {"y": 1}), pymongo.DeleteOne({"_id": 2})])
        self.assertEqual((r.inserted_count, r.modified_count, r.upserted_count, r.deleted_count),
                         (1, 2, 1, 1))
        self.assertEqual(list(self.c.find()), [{"_id": 1, "y": 1}])

    def test_find_and_modify(self):
        self.c.insert_many([{"_id": i, "p": -i} for i in range(3)])
        self.assertEqual(self.c.find_one_and_update({}, {"$set": {"t": 1}}, sort=[("p", 1)]),
                         {"_id": 2, "p": -2})
        self.assertEqual(self.c.find_one_and_update(
            {"_id": 2}, {"$inc": {"t": 1}}, return_document=ReturnDocument.AFTER,
            projection={"t": 1, "_id": 0}), {"t": 2})
        self.assertEqual(self.c.find_one_and_delete({"_id": 2})["_id"], 2)
        self.assertIsNone(self.c.find_one_and_delete({"_id": 2}))
        self.assertEqual(self.c.find_one_and_replace(
            {"_id": 9}, {"n": 1}, upsert=True, return_document=ReturnDocument.AFTER),
            {"_id": 9, "n": 1})

    def test_retried_write_runs_once(self):
        client = MongoClient(self.uri)
        self.addCleanup(client.close)
        cmd = SON([("update", "c"), ("updates", [{"q": {"_id": 1}, "u": {"$inc": {"n": 1}},
                                                  "upsert": True}]), ("txnNumber", Int64(50))])
        with client.start_session() as s:
            first = client[self.db.name].command(cmd, session=s)
            again = client[self.db.name].command(cmd, session=s)
            self.assertEqual((first["n"], again["n"]), (1, 1))
            self.assertEqual(self.c.find_one()["n"], 1)
            cmd["txnNumber"] = Int64(49)
            self.fails(225, client[self.db.name].command, cmd, session=s)


class Reads(Base):
    def ids(self, *args, **kw):
        return [d["_id"] for d in self.c.find(*args, **kw)]

    def test_operators(self):
        self.c.insert_many([
            {"_id": 0, "x": 1, "s": {"t": [{"u": 1}, {"u": 2}]}}, {"_id": 1, "x": 2.5},
            {"_id": 2, "x": "a"}, {"_id": 3, "x": None}, {"_id": 4}, {"_id": 5, "x": [1, "a", 9]},
            {"_id": 6, "x": Int64(7)}, {"_id": 7, "x": Decimal128("2.5")}])
        for query, want in (
                ({"x": 1}, [0, 5]), ({"x": 2.5}, [1, 7]), ({"x": None}, [3, 4]),
                ({"x": {"$gt": 2}}, [1, 5, 6, 7]), ({"x": {"$gte": "a"}}, [2, 5]),
                ({"x": {"$lt": 2}}, [0, 5]), ({"x": {"$lte": 2.5}}, [0, 1, 5, 7]),
                ({"x": {"$ne": 1}}, [1, 2, 3, 4, 6, 7]), ({"x": {"$in": [1, "a", None]}}, [0, 2, 3, 4, 5]),
                ({"x": {"$nin": [1, "a", None]}}, [1, 6, 7]), ({"x": {"$exists": False}}, [4]),
                ({"x": {"$exists": True}}, [0, 1, 2, 3, 5, 6, 7]), ({"x": {"$size": 3}}, [5]),
                ({"x": {"$type": "string"}}, [2, 5]), ({"x": {"$all": [1, 9]}}, [5]),
                ({"s.t.u": 2}, [0]), ({"s.t.1.u": 2}, [0]), ({"s.t.1.u": 1}, []),
                ({"s.t": {"$elemMatch": {"u": {"$gt": 1}}}}, [0]),
                ({"x": {"$elemMatch": {"$gt": 8}}}, [5]),
                ({"x": {"$not": {"$gt": 2}}}, [0, 2, 3, 4]), ({"x": {"$mod": [7, 0]}}, [6]),
                ({"$or": [{"x": "a"}, {"_id": 4}]}, [2, 4, 5]),
                ({"$and": [{"x": 1}, {"s": {"$exists": True}}]}, [0]),
                ({"$nor": [{"x": {"$exists": True}}]}, [4]),
                ({"_id": {"$gt": 2, "$lte": 5}}, [3, 4, 5]), ({"_id": {"$in": [5, 1]}}, [1, 5])):
            self.assertEqual(self.ids(query, sort=[("_id", 1)]), want, query)

    def test_bad_queries(self):
        self.c.insert_one({})
        self.fails(2, self.c.find_one, {"x": {"$noSuch": 1}})
        self.fails(2, self.c.find_one, {"$noSuch": 1})
        self.fails(2, self.c.find_one, {"x": {"$in": 5}})

    def test_order_of_types(self):
        values = [MinKey(), None, -1, 2.5, Int64(3), "", "a", {"a": 1}, {"a": 2}, b"a",
                  b"ab", ObjectId("0" * 24), False, True,
                  datetime.datetime(2020, 1, 1), Timestamp(1, 1), MaxKey()]
        docs = [{"_id": v} for v in values]
        random.Random(7).shuffle(docs)
        self.c.insert_many(docs)
        got = [d["_id"] for d in self.c.find().sort("_id", ASCENDING)]
        self.assertEqual(got, values)
        self.assertEqual([d["_id"] for d in self.c.find().sort("_id", DESCENDING)], values[::-1])
        self.assertEqual([d["_id"] for d in self.c.find({}, hint=[("_id", 1)])], values)
        # $gt brackets by type, min and max do not (manual: "Comparison/Sort Order", "min").
        self.assertEqual([d["_id"] for d in self.c.find({"_id": {"$gt": -1}}, sort=[("_id", 1)])],
                         [2.5, 3])
        got = [d["_id"] for d in self.c.find({}, hint=[("_id", 1)]).min([("_id", 3)])
               .max([("_id", True)])]
        self.assertEqual(got, values[4:13])
        self.fails(51173, list, self.c.find().min([("_id", 3)]))

    def test_sort_skip_limit_projection(self):
        self.c.insert_many([{"_id": i, "a": i % 3, "b": {"c": i, "d": 1}, "l": [{"m": i, "n": 1}]}
                            for i in range(9)])
        self.assertEqual(self.ids({}, sort=[("a", -1), ("_id", 1)]), [2, 5, 8, 1, 4, 7, 0, 3, 6])
        self.assertEqual(self.ids({}, sort=[("_id", 1)], skip=3, limit=2), [3, 4])
        self.assertEqual(self.ids({}, sort=[("_id", -1)], skip=1, limit=2), [7, 6])
        one = {"_id": 1}
        self.assertEqual(self.c.find_one(one, {"b.c": 1}), {"_id": 1, "b": {"c": 1}})
        self.assertEqual(self.c.find_one(one, {"a": 1, "_id": 0}), {"a": 1})
        self.assertEqual(self.c.find_one(one, {"b": 0, "l": 0}), {"_id": 1, "a": 1})
        self.assertEqual(self.c.find_one(one, {"l.m": 1}), {"_id": 1, "l": [{"m": 1}]})
        self.assertEqual(self.c.find_one(one, {"l.m": 0, "b": 0}), {"_id": 1, "a": 1, "l": [{"n": 1}]})
        self.assertEqual(self.c.find_one(one, {"_id": 1}), {"_id": 1})
        with self.assertRaises(OperationFailure):
            self.c.find_one(one, {"a": 1, "b": 0})

    def test_batches(self):
        self.c.insert_many([{"_id": i} for i in range(250)])
        r = self.db.command("find", "c", batchSize=10)
        self.assertEqual(len(r["cursor"]["firstBatch"]), 10)
        cid = r["cursor"]["id"]
        self.assertEqual(r["cursor"]["ns"], self.c.full_name)
        m = self.db.command("getMore", Int64(cid), collection="c", batchSize=100)
        self.assertEqual([d["_id"] for d in m["cursor"]["nextBatch"]], list(range(10, 110)))
        k = self.db.command("killCursors", "c", cursors=[Int64(cid), Int64(12345)])
        self.assertEqual((k["cursorsKilled"], k["cursorsNotFound"]), ([cid], [12345]))
        self.fails(43, self.db.command, "getMore", Int64(cid), collection="c")
        r = self.db.command("find", "c")
        self.assertEqual(len(r["cursor"]["firstBatch"]), 101)
        m = self.db.command("getMore", Int64(r["cursor"]["id"]), collection="c")
        self.assertEqual((len(m["cursor"]["nextBatch"]), m["cursor"]["id"]), (149, 0))
        r = self.db.command("find", "c", batchSize=10, singleBatch=True)
        self.assertEqual((len(r["cursor"]["firstBatch"]), r["cursor"]["id"]), (10, 0))
        r = self.db.command("find", "c", batchSize=1)
        self.fails(2, self.db.command, "getMore", Int64(r["cursor"]["id"]), collection="c",
                   maxTimeMS=100)
        r = self.db.command("find", "c", batchSize=0)
        self.assertEqual(r["cursor"]["firstBatch"], [])
        self.assertNotEqual(r["cursor"]["id"], 0)

    def test_cursor_belongs_to_its_session(self):
        self.c.insert_many([{} for _ in range(5)])
        with self.client.start_session() as s, self.client.start_session() as t:
            r = self.db.command("find", "c", batchSize=1, session=s)
            cid = Int64(r["cursor"]["id"])
            with self.assertRaises(OperationFailure):
                self.db.command("getMore", cid, collection="c", session=t)
            self.db.command("getMore", cid, collection="c", session=s)

    def test_scan_while_it_changes(self):
        self.c.insert_many([{"_id": i} for i in range(0, 100, 2)])
        got = []
        for d in self.c.find({}, hint=[("_id", 1)], batch_size=5):
            got.append(d["_id"])
            if d["_id"] == 20:
                self.c.delete_many({"_id": {"$in": [40, 42]}})
                self.c.insert_many([{"_id": 61}, {"_id": 5}])
        want = [i for i in range(0, 100, 2) if i not in (40, 42)] + [61]
        self.assertEqual(got, sorted(want))

    def test_big_batches(self):
        self.c.insert_many([{"_id": i, "x": "y" * 1000000} for i in range(40)])
        r = self.db.command("find", "c", batchSize=1000)
        self.assertLess(len(r["cursor"]["firstBatch"]), 17)
        self.assertEqual(len(list(self.c.find())), 40)

    def test_dropped_under_a_cursor(self):
        self.c.insert_many([{} for _ in range(10)])
        cid = self.db.command("find", "c", batchSize=1)["cursor"]["id"]
        self.c.drop()
        self.fails(175, self.db.command, "getMore", Int64(cid), collection="c")

    def test_aggregate(self):
        self.c.insert_many([{"_id": i, "g": i % 2, "v": i} for i in range(10)])
        self.assertEqual(list(self.c.aggregate([
            {"$match": {"v": {"$gte": 2}}}, {"$sort": {"v": -1}}, {"$skip": 1}, {"$limit": 2},
            {"$project": {"v": 1, "_id": 0}}])), [{"v": 8}, {"v": 7}])
        self.assertEqual(list(self.c.aggregate([{"$count": "n"}])), [{"n": 10}])
        got = list(self.c.aggregate([{"$group": {"_id": "$g", "n": {"$sum": 1}, "v": {"$sum": "$v"},
                                                 "m": {"$avg": "$v"}}}, {"$sort": {"_id": 1}}]))
        self.assertEqual(got, [{"_id": 0, "n": 5, "v": 20, "m": 4.0},
                               {"_id": 1, "n": 5, "v": 25, "m": 5.0}])
        self.assertEqual(self.c.count_documents({"g": 1}, skip=1, limit=3), 3)
        self.assertEqual(self.c.distinct("g"), [0, 1])
        self.fails(40324, self.c.aggregate, [{"$noSuchStage": {}}])


class Transactions(Base):
    def test_commit_and_abort(self):
        self.c.insert_one({"_id": 0})
        with self.client.start_session() as s:
            s.start_transaction()
            self.c.insert_one({"_id": 1}, session=s)
            self.c.update_one({"_id": 0}, {"$set": {"x": 1}}, session=s)
            self.assertEqual(self.c.count_documents({}), 1)
            self.assertEqual(len(list(self.c.find({}, session=s))), 2)
            s.abort_transaction()
            self.assertEqual(list(self.c.find()), [{"_id": 0}])
            s.start_transaction()
            self.c.insert_one({"_id": 1}, session=s)
            self.c.delete_one({"_id": 0}, session=s)
            s.commit_transaction()
        self.assertEqual(list(self.c.find()), [{"_id": 1}])

    def test_events_share_a_cluster_time(self):
        self.db.create_collection("c")
        with self.c.watch() as cs, self.client.start_session() as s:
            with s.start_transaction():
                self.c.insert_many([{"_id": i} for i in range(3)], session=s)
                self.c.delete_one({"_id": 0}, session=s)
            got = [cs.next() for _ in range(4)]
        self.assertEqual(len({e["clusterTime"] for e in got}), 1)
        self.assertEqual([e["operationType"] for e in got], ["insert"] * 3 + ["delete"])
        tokens = [e["_id"]["_data"] for e in got]
        self.assertEqual(tokens, sorted(set(tokens)))
        self.assertTrue(all("txnNumber" in e and "lsid" in e for e in got))
        with self.c.watch(resume_after=got[1]["_id"]) as cs:
            self.assertEqual(cs.next()["documentKey"], {"_id": 2})

    def test_duplicate_aborts(self):
        self.c.insert_one({"_id": 1})
        with self.client.start_session() as s:
            s.start_transaction()
            self.c.insert_one({"_id": 2}, session=s)
            with self.assertRaises(DuplicateKeyError):
                self.c.insert_one({"_id": 1}, session=s)
            e = self.fails(251, self.c.insert_one, {"_id": 3}, session=s)
            self.assertTrue(e.has_error_label("TransientTransactionError"))
        self.assertEqual(self.c.count_documents({}), 1)

    def test_conflict(self):
        self.c.insert_one({"_id": 1})
        with self.client.start_session() as s, self.client.start_session() as t:
            s.start_transaction()
            self.c.update_one({"_id": 1}, {"$set": {"a": 1}}, session=s)
            t.start_transaction()
            try:
                self.c.update_one({"_id": 1}, {"$set": {"b": 1}}, session=t)
                t.commit_transaction()
                first = None
            except OperationFailure as e:
                first = e
                s.commit_transaction()
            if not first:
                with self.assertRaises(OperationFailure) as e:
                    s.commit_transaction()
                first = e.exception
            self.assertEqual(first.code, 112)
            self.assertTrue(first.has_error_label("TransientTransactionError"))


class Streams(Base):
    """Manual: Change Streams, Change Events, $changeStream."""

    def setUp(self):
        super().setUp()
        self.db.create_collection("c")

    def raw(self, spec=None, stages=(), target="c", db=None, **cursor):
        return (db or self.db).command("aggregate", target, pipeline=[
            {"$changeStream": spec or {}}, *stages], cursor=cursor)["cursor"]

    def more(self, cur, coll="c", db=None, **kw):
        return (db or self.db).command("getMore", Int64(cur["id"]), collection=coll, **kw)["cursor"]

    def events(self, start, n, **kw):
        with self.c.watch(start_at_operation_time=start, **kw) as cs:
            return [cs.next() for _ in range(n)]

    def test_insert_event(self):
        with self.c.watch() as cs:
            self.c.insert_one({"_id": 1, "x": {"y": 2}})
            e = cs.next()
        self.assertEqual(e["operationType"], "insert")
        self.assertEqual(e["ns"], {"db": self.db.name, "coll": "c"})
        self.assertEqual(e["documentKey"], {"_id": 1})
        self.assertEqual(e["fullDocument"], {"_id": 1, "x": {"y": 2}})
        self.assertIsInstance(e["clusterTime"], Timestamp)
        self.assertIsInstance(e["_id"]["_data"], str)
        int(e["_id"]["_data"], 16)
        if self.client.admin.command("hello")["maxWireVersion"] >= 17:
            now = datetime.datetime.utcnow()
            self.assertLess(abs((e["wallTime"] - now).total_seconds()), 3600)

    def test_update_replace_delete_events(self):
        start = self.now()
        self.c.insert_one({"_id": 1, "a": 1, "gone": 1, "l": [1]})
        self.c.update_one({"_id": 1}, {"$set": {"a": 2, "n.m": 1}, "$unset": {"gone": 1},
                                       "$push": {"l": 2}})
        self.c.replace_one({"_id": 1}, {"b": 1})
        self.c.delete_one({"_id": 1})
        self.c.update_one({"_id": 1}, {"$set": {"x": 1}})
        e = self.events(Timestamp(start.time, start.inc + 1), 4)
        self.assertEqual([x["operationType"] for x in e], ["insert", "update", "replace", "delete"])
        d = e[1]["updateDescription"]
        self.assertEqual(d["updatedFields"], {"a": 2, "n": {"m": 1}, "l.1": 2})
        self.assertEqual(d["removedFields"], ["gone"])
        self.assertEqual(d["truncatedArrays"], [])
        self.assertNotIn("fullDocument", e[1])
        self.assertEqual(e[2]["fullDocument"], {"_id": 1, "b": 1})
        self.assertNotIn("fullDocument", e[3])
        self.assertEqual(e[3]["documentKey"], {"_id": 1})

    def test_no_event_without_a_change(self):
        self.c.insert_one({"_id": 1, "a": 1})
        with self.c.watch() as cs:
            self.c.update_one({"_id": 1}, {"$set": {"a": 1}})
            self.c.delete_one({"_id": 2})
            self.c.insert_one({"_id": 3})
            self.assertEqual(cs.next()["documentKey"], {"_id": 3})

    def test_update_lookup(self):
        start = self.now()
        self.c.insert_many([{"_id": 1, "a": 1}, {"_id": 2}])
        self.c.update_one({"_id": 1}, {"$set": {"a": 2}})
        self.c.update_one({"_id": 1}, {"$set": {"a": 3}})
        self.c.update_one({"_id": 2}, {"$set": {"a": 3}})
        self.c.delete_one({"_id": 2})
        e = self.events(Timestamp(start.time, start.inc + 1), 5, full_document="updateLookup")
        # Looked up when it is read: the newest state, and null once it is gone.
        self.assertEqual(e[2]["fullDocument"], {"_id": 1, "a": 3})
        self.assertIsNone(e[4]["fullDocument"])

    def test_tokens_ascend_and_resume(self):
        with self.db.watch() as cs:
            for i in range(20):
                self.db["c%d" % (i % 3)].insert_one({"_id": i})
            e = [cs.next() for _ in range(20)]
        tokens = [x["_id"]["_data"] for x in e]
        self.assertEqual(tokens, sorted(set(tokens)))
        times = [x["clusterTime"] for x in e]
        self.assertEqual(times, sorted(times))
        for k in (0, 7, 18):
            for how in ("resume_after", "start_after"):
                with self.db.watch(**{how: e[k]["_id"]}) as cs:
                    self.assertEqual(cs.next()["documentKey"], {"_id": k + 1})
        with self.db.watch(start_at_operation_time=e[5]["clusterTime"]) as cs:
            self.assertEqual(cs.next()["documentKey"], {"_id": 5})

    def test_aggregate_returns_at_once_and_get_more_waits(self):
        t = time.time()
        cur = self.raw()
        self.assertLess(time.time() - t, 0.9)
        self.assertEqual(cur["firstBatch"], [])
        self.assertNotEqual(cur["id"], 0)
        self.assertEqual(cur["ns"], self.c.full_name)
        t = time.time()
        m = self.more(cur, maxTimeMS=300)
        self.assertEqual(m["nextBatch"], [])
        self.assertEqual(m["id"], cur["id"])
        self.assertGreaterEqual(time.time() - t, 0.29)
        self.assertLess(time.time() - t, 5)
        t = time.time()
        self.more(cur)
        self.assertGreaterEqual(time.time() - t, 0.9)
        threading.Timer(0.3, lambda: self.c.insert_one({"_id": 1})).start()
        t = time.time()
        m = self.more(cur, maxTimeMS=20000)
        self.assertEqual(len(m["nextBatch"]), 1)
        self.assertLess(time.time() - t, 10)

    def test_first_batch_when_resuming(self):
        start = self.now()
        self.c.insert_many([{"_id": i} for i in range(10)])
        after = Timestamp(start.time, start.inc + 1)
        cur = self.raw({"startAtOperationTime": after}, batchSize=4)
        got = cur["firstBatch"]
        if not got:
            got = self.more(cur, batchSize=4)["nextBatch"]
        self.assertEqual([e["documentKey"]["_id"] for e in got], [0, 1, 2, 3])
        m = self.more(cur, batchSize=3)
        self.assertEqual([e["documentKey"]["_id"] for e in m["nextBatch"]], [4, 5, 6])
        # A full batch: the token is the last event's own.
        self.assertEqual(m["postBatchResumeToken"], m["nextBatch"][-1]["_id"])
        cur = self.raw({"startAtOperationTime": after}, batchSize=0)
        self.assertEqual(cur["firstBatch"], [])

    def test_post_batch_resume_token(self):
        cur = self.raw()
        first = cur["postBatchResumeToken"]["_data"]
        m = self.more(cur, maxTimeMS=50)
        quiet = m["postBatchResumeToken"]["_data"]
        self.assertGreaterEqual(quiet, first)
        self.db.other.insert_one({})
        end = time.time() + 20
        moved = quiet
        while moved == quiet and time.time() < end:
            moved = self.more(cur, maxTimeMS=100)["postBatchResumeToken"]["_data"]
        self.assertGreater(moved, quiet)
        self.c.insert_one({"_id": 1})
        m = self.more(cur, maxTimeMS=10000)
        self.assertGreater(m["nextBatch"][0]["_id"]["_data"], moved)
        self.assertGreaterEqual(m["postBatchResumeToken"]["_data"], m["nextBatch"][0]["_id"]["_data"])
        # A token of an empty batch is a place to resume from, and loses nothing.
        with self.c.watch(resume_after={"_data": moved}) as cs:
            self.assertEqual(cs.next()["documentKey"], {"_id": 1})

    def test_match_and_project(self):
        stages = [{"$match": {"ns.coll": {"$in": ["a", "b"]}, "operationType": "insert",
                              "fullDocument.x": {"$gte": 2}}},
                  {"$project": {"operationType": 1, "ns": 1, "fullDocument.x": 1}}]
        with self.db.watch(stages) as cs:
            for name in "abc":
                self.db[name].insert_many([{"_id": i, "x": i, "y": 1} for i in range(4)])
            got = [cs.next() for _ in range(4)]
        self.assertEqual([(e["ns"]["coll"], e["fullDocument"]) for e in got],
                         [("a", {"x": 2}), ("a", {"x": 3}), ("b", {"x": 2}), ("b", {"x": 3})])
        self.assertNotIn("documentKey", got[0])

    def test_projecting_the_token_away(self):
        self.raw_cur = self.raw({}, [{"$project": {"_id": 0}}])
        self.c.insert_one({})
        e = self.fails(280, self.more, self.raw_cur, maxTimeMS=10000)
        self.assertTrue(e.has_error_label("NonResumableChangeStreamError"))

    def test_stages_refused(self):
        for stage in ({"$group": {"_id": None}}, {"$sort": {"x": 1}}, {"$limit": 1}):
            self.fails(20, self.raw, {}, [stage])
        self.fails(40324, self.raw, {}, [{"$noSuchStage": 1}])

    def test_drop_invalidates_a_collection_stream(self):
        cur = self.raw()
        self.c.insert_one({"_id": 1})
        self.c.drop()
        got, token = [], None
        while cur["id"]:
            cur = self.more(cur, maxTimeMS=1000)
            got += cur["nextBatch"]
            token = cur["postBatchResumeToken"]
        self.assertEqual([e["operationType"] for e in got], ["insert", "drop", "invalidate"])
        inv = got[-1]
        self.assertEqual(token, inv["_id"])
        self.assertNotIn("ns", inv)
        tokens = [e["_id"]["_data"] for e in got]
        self.assertEqual(tokens, sorted(set(tokens)))
        self.fails(260, self.raw, {"resumeAfter": inv["_id"]})
        self.c.insert_one({"_id": 2})
        with self.c.watch(start_after=inv["_id"]) as cs:
            self.assertEqual(cs.next()["documentKey"], {"_id": 2})
        # After the drop itself comes the invalidate again.
        cur = self.raw({"resumeAfter": got[1]["_id"]})
        again = cur["firstBatch"] or self.more(cur, maxTimeMS=1000)["nextBatch"]
        self.assertEqual(again[0]["operationType"], "invalidate")

    def test_rename_invalidates_a_collection_stream(self):
        self.c.insert_one({})
        with self.c.watch() as cs:
            self.c.rename("renamed")
            e = cs.next()
            self.assertEqual((e["operationType"], e["to"]["coll"]), ("rename", "renamed"))
            self.assertEqual(cs.next()["operationType"], "invalidate")
            self.assertIsNone(cs.try_next())
            self.assertFalse(cs.alive)

    def test_database_stream(self):
        with self.db.watch() as cs:
            self.c.insert_one({"_id": 1})
            self.db.c2.insert_one({"_id": 2})
            self.db.c2.drop()
            self.client.drop_database(self.db.name)
            got = [cs.next() for _ in range(6)]
        self.assertEqual([e["operationType"] for e in got],
                         ["insert", "insert", "drop", "drop", "dropDatabase", "invalidate"])
        self.assertEqual(got[2]["ns"], {"db": self.db.name, "coll": "c2"})
        self.assertEqual(got[4]["ns"], {"db": self.db.name})

    def test_cluster_stream(self):
        match = [{"$match": {"ns.db": self.db.name}}]
        with self.client.watch(match) as cs:
            self.db.a.insert_one({"_id": 1})
            self.client.drop_database(self.db.name)
            self.db.b.insert_one({"_id": 2})
            kinds = []
            while len(kinds) < 5:
                kinds.append(cs.next()["operationType"])
        self.assertEqual(kinds, ["insert", "drop", "drop", "dropDatabase", "insert"])
        self.fails(73, self.raw, {}, target=1, db=self.client.admin)
        self.fails(72, self.raw, {"allChangesForCluster": True})

    def test_bad_options(self):
        t = self.now()
        token = self.raw()["postBatchResumeToken"]
        with self.assertRaises(OperationFailure):
            self.raw({"resumeAfter": {"_data": "garbage"}})
        self.fails(40647, self.raw, {"resumeAfter": {"x": 1}})
        self.fails(50865, self.raw, {"resumeAfter": token, "startAfter": token})
        self.fails(40674, self.raw, {"resumeAfter": token, "startAtOperationTime": t})
        self.fails(2, self.raw, {"fullDocument": "noSuch"})
        self.fails(40415, self.raw, {"noSuch": 1})

    def test_token_that_is_not_in_the_stream(self):
        self.db.other.insert_one({"_id": 0})
        with self.db.watch() as cs:
            self.db.other.insert_one({"_id": 1})
            foreign = cs.next()["_id"]
        self.c.insert_one({"_id": 2})
        # The event of another collection never comes in this one's stream.
        def read():
            cur = self.raw({"resumeAfter": foreign})
            return cur["firstBatch"] or self.more(cur, maxTimeMS=1000)
        e = self.fails(280, read)
        self.assertTrue(e.has_error_label("NonResumableChangeStreamError"))

    def test_many_events_in_order(self):
        n = 20000
        start = self.now()
        for k in range(0, n, 1000):
            self.c.insert_many([{"_id": i, "x": "y" * 50} for i in range(k, k + 1000)])
        with self.c.watch(start_at_operation_time=Timestamp(start.time, start.inc + 1)) as cs:
            for i in range(n):
                self.assertEqual(cs.next()["documentKey"]["_id"], i)

    def test_big_events_are_split_into_batches(self):
        cur = self.raw()
        self.c.insert_many([{"_id": i, "x": "y" * 5000000} for i in range(6)])
        ids = []
        while len(ids) < 6:
            m = self.more(cur, maxTimeMS=10000)
            self.assertLessEqual(len(m["nextBatch"]), 3)
            ids += [e["documentKey"]["_id"] for e in m["nextBatch"]]
            self.assertGreaterEqual(m["postBatchResumeToken"]["_data"],
                                    m["nextBatch"][-1]["_id"]["_data"])
        self.assertEqual(ids, list(range(6)))

    def test_event_too_large(self):
        self.c.insert_one({"_id": 1})
        cur = self.raw({"fullDocument": "updateLookup"})
        self.c.update_one({"_id": 1}, {"$set": {"x": "y" * 9000000}})
        self.fails(10334, self.more, cur, maxTimeMS=10000)

    def test_killed_while_waiting(self):
        cur = self.raw()
        threading.Timer(0.3, lambda: self.db.command(
            "killCursors", "c", cursors=[Int64(cur["id"])])).start()
        with self.assertRaises(OperationFailure) as e:
            self.more(cur, maxTimeMS=20000)
        self.assertIn(e.exception.code, (43, 237, 11601))

    def test_session_of_a_stream(self):
        with self.client.start_session() as s:
            with self.db.watch(session=s) as cs:
                self.c.insert_one({"_id": 1})
                self.assertEqual(cs.next()["documentKey"], {"_id": 1})


class SplitEvents(Base):
    """$changeStreamSplitLargeEvent, from 7.0 on."""

    @classmethod
    def setUpClass(cls):
        cls.standin = None if REAL else Standin("--wire-version", "21")
        cls.uri = REAL or cls.standin.uri
        cls.client = MongoClient(cls.uri, serverSelectionTimeoutMS=10000)
        if cls.client.server_info()["versionArray"][0] < 7:
            raise unittest.SkipTest("before 7.0")

    more, raw = Streams.more, Streams.raw

    def split_raw(self, start=None):
        return self.db.command("aggregate", "c", cursor={}, pipeline=[
            {"$changeStream": {"fullDocument": "updateLookup", **(start or {})}},
            {"$changeStreamSplitLargeEvent": {}}])["cursor"]

    def test_large_events_in_parts(self):
        self.c.insert_one({"_id": 1})
        cur = self.split_raw()
        self.c.update_one({"_id": 1}, {"$set": {"x": "y" * 9000000}})
        self.c.insert_one({"_id": 2})
        parts = []
        while len(parts) < 3:
            parts += self.more(cur, maxTimeMS=10000)["nextBatch"]
        self.assertEqual([p.get("splitEvent") for p in parts],
                         [{"fragment": 1, "of": 2}, {"fragment": 2, "of": 2}, None])
        self.assertEqual(parts[0]["operationType"], "update")
        whole = {**parts[0], **parts[1]}
        self.assertEqual(len(whole["fullDocument"]["x"]), 9000000)
        self.assertEqual(len(whole["updateDescription"]["updatedFields"]["x"]), 9000000)
        self.assertFalse(set(parts[0]) & set(parts[1]) - {"_id", "splitEvent"})
        self.assertNotEqual(parts[0]["_id"], parts[1]["_id"])
        # Behind the first part comes the second; behind that the next event.
        cur = self.split_raw({"resumeAfter": parts[0]["_id"]})
        rest = cur["firstBatch"]
        while len(rest) < 2:
            rest += self.more(cur, maxTimeMS=10000)["nextBatch"]
        self.assertEqual(rest, parts[1:])
        cur = self.split_raw({"startAfter": parts[1]["_id"]})
        rest = cur["firstBatch"] or self.more(cur, maxTimeMS=10000)["nextBatch"]
        self.assertEqual(rest, parts[2:])
        self.fails(280, lambda: self.raw({"resumeAfter": parts[0]["_id"]}))


@own_options
class Options(unittest.TestCase):
    def start(self, *options):
        s = Standin(*options)
        self.addCleanup(lambda: self.assertEqual(s.stop(), 0))
        return s

    def test_standalone(self):
        s = self.start("--standalone")
        self.assertNotIn("replicaSet", s.uri)
        client = MongoClient(s.uri)
        self.addCleanup(client.close)
        h = client.admin.command("hello")
        self.assertNotIn("setName", h)
        self.assertNotIn("hosts", h)
        self.assertNotIn("operationTime", h)
        self.assertNotIn("$clusterTime", h)
        client.x.y.insert_one({"_id": 1})
        with self.assertRaises(OperationFailure) as e:
            client.x.y.watch()
        self.assertEqual(e.exception.code, 40573)
        self.assertIn("The $changeStream stage is only supported on replica sets", str(e.exception))

    def test_auth(self):
        s = self.start("--user", "joe:pass,=word")
        for mech in ("SCRAM-SHA-256", "SCRAM-SHA-1", "DEFAULT"):
            for password, code in (("pass,=word", None), ("wrong", 18)):
                client = MongoClient(s.uri, username="joe", password=password, authSource="admin",
                                     authMechanism=mech)
                if code:
                    with self.assertRaises(OperationFailure) as e:
                        client.x.y.find_one()
                    self.assertEqual(e.exception.code, code)
                else:
                    client.x.y.find_one()
                client.close()
        client = MongoClient(s.uri)
        with self.assertRaises(OperationFailure) as e:
            client.x.y.find_one()
        self.assertEqual(e.exception.code, 13)
        client.close()

    def test_denied(self):
        s = self.start("--deny-change-stream", "--deny-find")
        client = MongoClient(s.uri)
        self.addCleanup(client.close)
        for fn in (client.x.y.watch, client.x.y.find_one):
            with self.assertRaises(OperationFailure) as e:
                fn()
            self.assertEqual(e.exception.code, 13)
            self.assertIn("not authorized on x to execute command", str(e.exception))

    def test_oplog_rolls_over(self):
        s = self.start("--oplog-events", "50")
        client = MongoClient(s.uri)
        self.addCleanup(client.close)
        c = client.x.y
        cs = c.watch()
        c.insert_one({"_id": -1})
        token = cs.next()["_id"]
        c.insert_many([{"_id": i} for i in range(100)])
        for spec in ({"resumeAfter": token}, {"startAtOperationTime": Timestamp(1, 1)}):
            with self.assertRaises(OperationFailure) as e:
                client.x.command("aggregate", "y", pipeline=[{"$changeStream": spec}], cursor={})
            self.assertEqual(e.exception.code, 286)
            self.assertEqual(e.exception.details["codeName"], "ChangeStreamHistoryLost")
        with self.assertRaises(OperationFailure) as e:
            cs.next()
        self.assertEqual(e.exception.code, 136)

    def test_noop_moves_the_time(self):
        s = self.start("--noop-interval-ms", "50")
        client = MongoClient(s.uri)
        self.addCleanup(client.close)
        with client.x.y.watch(max_await_time_ms=200) as cs:
            tokens = []
            for _ in range(4):
                self.assertIsNone(cs.try_next())
                tokens.append(cs.resume_token["_data"])
            self.assertEqual(len(set(tokens)), 4)
            self.assertEqual(tokens, sorted(tokens))

    def test_wire_versions(self):
        for wire, version in ((7, "4.0"), (9, "4.4"), (13, "5.0"), (21, "7.0")):
            s = self.start("--wire-version", str(wire), "--set-name", "other")
            client = MongoClient(s.uri)
            self.assertTrue(client.server_info()["version"].startswith(version))
            self.assertEqual(client.admin.command("isMaster")["setName"], "other")
            with client.x.y.watch() as cs:
                client.x.y.insert_one({})
                self.assertEqual("wallTime" in cs.next(), wire >= 17)
            client.close()

    def test_exit_codes(self):
        for bad in (["--nonsense"], ["--listen", "x"], ["--wire-version", "2"], ["extra"]):
            p = subprocess.run([PROGRAM, *bad], capture_output=True)
            self.assertEqual((p.returncode, p.stdout), (100, b""))
            self.assertIn(b"mongo-standin: ", p.stderr)
        s = self.start()
        p = subprocess.run([PROGRAM, "--listen", s.address], capture_output=True)
        self.assertEqual(p.returncode, 111)
        for ok in ("--help", "--version"):
            self.assertEqual(subprocess.run([PROGRAM, ok], capture_output=True).returncode, 0)

    def test_notify_fd(self):
        r, w = os.pipe()
        p = subprocess.Popen([PROGRAM, "--notify-fd", str(w)], pass_fds=[w],
                             stdout=subprocess.PIPE)
        os.close(w)
        with os.fdopen(r) as f:
            self.assertTrue(f.read().startswith("mongodb://127.0.0.1:"))
        p.terminate()
        self.assertEqual(p.communicate()[0], b"")
        self.assertEqual(p.returncode, 0)


@own_options
class Strict(Base):
    """Malformed messages end their connection, and no other."""

    def connect(self):
        host, port = self.standin.address.split(":")
        s = socket.create_connection((host, int(port)), timeout=10)
        self.addCleanup(s.close)
        return s

    @staticmethod
    def message(body, opcode=2013, flags=0, kind=0, tail=b""):
        payload = struct.pack("<IB", flags, kind) + body + tail
        return struct.pack("<iiii", 16 + len(payload), 7, 0, opcode) + payload

    @staticmethod
    def reply(s):
        head = b""
        while len(head) < 16:
            more = s.recv(16 - len(head))
            if not more:
                return None
            head += more
        n, _, to, op = struct.unpack("<iiii", head)
        body = b""
        while len(body) < n - 16:
            more = s.recv(n - 16 - len(body))
            if not more:
                return None
            body += more
        return to, op, bson.decode(body[5 if op == 2013 else 20:], bson.codec_options.CodecOptions(
            unicode_decode_error_handler="replace"))

    PING = bson.encode(SON([("ping", 1), ("$db", "admin")]))

    def test_malformed(self):
        ping = self.PING
        deep = b"\x05\0\0\0\0"
        for _ in range(300):
            deep = struct.pack("<i", len(deep) + 8) + b"\x03a\0" + deep + b"\0"
        for bad in (
                struct.pack("<iiii", 15, 1, 0, 2013), struct.pack("<iiii", 48000001, 1, 0, 2013),
                struct.pack("<iiii", -1, 1, 0, 2013), self.message(ping, opcode=2010),
                self.message(ping, flags=4), self.message(ping, kind=2), self.message(ping[:-1]),
                self.message(ping + b"x"), self.message(ping[:4] + b"\x7e" + ping[5:]),
                self.message(ping, tail=b"\0" + ping), self.message(b""), self.message(deep),
                self.message(ping, tail=b"\x01" + struct.pack("<i", 100) + b"x\0"),
                self.message(ping, tail=b"\x01" + struct.pack("<i", 6) + b"xx"),
                struct.pack("<iiii", 20, 1, 0, 2004) + b"\0\0\0\0"):
            s = self.connect()
            s.sendall(bad)
            self.assertIsNone(self.reply(s), bad[:80])
        self.assertEqual(self.client.admin.command("ping")["ok"], 1)

    def test_byte_by_byte_and_pipelined(self):
        s = self.connect()
        for b in self.message(self.PING):
            s.sendall(bytes([b]))
        self.assertEqual(self.reply(s)[2]["ok"], 1)
        s.sendall(self.message(self.PING) * 3)
        for _ in range(3):
            self.assertEqual(self.reply(s)[0], 7)

    def test_checksum_and_legacy_hello(self):
        s = self.connect()
        s.sendall(self.message(self.PING, flags=1, tail=b"\0\0\0\0"))
        self.assertEqual(self.reply(s)[2]["ok"], 1)
        for name, ok in (("isMaster", 1), ("find", 0)):
            body = struct.pack("<i", 0) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1) + \
                bson.encode({name: 1})
            s.sendall(struct.pack("<iiii", 16 + len(body), 9, 0, 2004) + body)
            to, op, doc = self.reply(s)
            self.assertEqual((to, op, doc["ok"]), (9, 1, ok))

    def test_random_damage(self):
        rnd = random.Random(11)
        base = self.message(bson.encode(SON([
            ("insert", "c"), ("documents", [{"_id": 1, "x": [1, {"y": "z"}]}]), ("$db", self.db.name)])))
        for _ in range(300):
            m = bytearray(base)
            for _ in range(rnd.randint(1, 4)):
                m[rnd.randrange(16, len(m))] = rnd.randrange(256)
            s = self.connect()
            s.sendall(m)
            s.shutdown(socket.SHUT_WR)
            self.reply(s)
            s.close()
        self.assertEqual(self.client.admin.command("ping")["ok"], 1)

    def test_gone_while_waiting(self):
        cur = self.db.command("aggregate", "c", pipeline=[{"$changeStream": {}}], cursor={})["cursor"]
        s = self.connect()
        # pymongo's command had a session of its own, so the raw getMore is to be refused...
        s.sendall(self.message(bson.encode(SON([
            ("getMore", Int64(cur["id"])), ("collection", "c"), ("$db", self.db.name)]))))
        self.assertEqual(self.reply(s)[2]["code"], 50736)
        # ...and a stream opened without one dies with the connection that waits on it.
        s.sendall(self.message(bson.encode(SON([
            ("aggregate", "c"), ("pipeline", [{"$changeStream": {}}]), ("cursor", {}),
            ("$db", self.db.name)]))))
        cid = self.reply(s)[2]["cursor"]["id"]
        more = self.message(bson.encode(SON([
            ("getMore", Int64(cid)), ("collection", "c"), ("maxTimeMS", 20000),
            ("$db", self.db.name)])))
        s.sendall(more)
        s2 = self.connect()
        end = time.time() + 10
        while time.time() < end:
            s2.sendall(more)
            code = self.reply(s2)[2]["code"]
            if code == 143 and s:
                s.close()
                s = None
            elif code == 43:
                break
        self.assertEqual(code, 43)


class Raw:
    """A connection without a driver: each command is sent once, and what comes back is told."""

    def __init__(self, address, db):
        host, port = address.split(":")
        self.db = db
        self.socket = socket.create_connection((host, int(port)), timeout=10)

    def send(self, **command):
        self.socket.sendall(Strict.message(bson.encode(SON([*command.items(), ("$db", self.db)]))))

    def take(self):
        """The answer; None where the connection ended without a whole one."""
        try:
            answer = Strict.reply(self.socket)
        except ConnectionResetError:
            return None
        return answer and answer[2]

    def ask(self, **command):
        self.send(**command)
        return self.take()

    def stream(self, **spec):
        return self.ask(aggregate="c", pipeline=[{"$changeStream": spec}], cursor={})["cursor"]

    def more(self, cursor, ms=50):
        return self.ask(getMore=Int64(cursor["id"]), collection="c", maxTimeMS=ms)

    def close(self):
        self.socket.close()


@own_options
class Faults(unittest.TestCase):
    """The control connection."""

    OPTIONS = ()

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="dune-standin-")
        self.addCleanup(self.dir.cleanup)
        self.port = 0
        self.start()

    def start(self, *options):
        self.standin = Standin("--control", "unix:%s/control" % self.dir.name, "--data", self.dir.name + "/data",
                               "--listen", "127.0.0.1:%d" % self.port, *self.OPTIONS, *options)
        self.port = int(self.standin.address.split(":")[1])
        self.control = control_of.Control(self.dir.name + "/control")
        self.client = MongoClient(self.standin.uri, serverSelectionTimeoutMS=10000, retryReads=False,
                                  heartbeatFrequencyMS=500)
        self.c = self.client.x.c

    def tearDown(self):
        self.client.close()
        self.control.close()
        self.assertEqual(self.standin.stop(), 0)

    def killed(self, *options):
        """SIGKILL, and started again."""
        self.client.close()
        self.control.close()
        self.standin.process.kill()
        self.standin.process.wait()
        self.standin.process.stdout.close()
        self.start(*options)

    def raw(self):
        r = Raw(self.standin.address, "x")
        self.addCleanup(r.close)
        return r

    def test_words(self):
        self.assertEqual(self.control.say("status")["faults"], [])
        with self.assertRaises(control_of.Refused):
            self.control.say("nonsense")
        for rule in ({"nonsense": 1}, {"cut": "x"}, {"cut": {"within": -1}}, {"error": 1}, {"command": 1}):
            with self.assertRaises(control_of.Refused):
                self.control.say("fault", rule)
        self.control.socket.sendall(b'not json\n')
        self.assertFalse(json.loads(self.control.lines.readline())["ok"])

    def test_error(self):
        rule = self.control.fault(command="insert", collection="c", skip=1, times=2, error={
            "code": 91, "errmsg": "on its way out", "labels": ["A", "B"]})
        r = self.raw()
        answers = [r.ask(insert="c", documents=[{"_id": i}]) for i in range(5)]
        self.assertEqual([a["ok"] for a in answers], [1, 0, 0, 1, 1])
        self.assertEqual({k: answers[1][k] for k in ("code", "codeName", "errmsg", "errorLabels")}, {
            "code": 91, "codeName": "ShutdownInProgress", "errmsg": "on its way out", "errorLabels": ["A", "B"]})
        self.assertIn("operationTime", answers[1])
        self.assertEqual(sorted(d["_id"] for d in self.c.find()), [0, 3, 4])
        self.assertEqual(self.control.rule(rule), {"id": rule, "seen": 5, "applied": 2, "over": True})
        self.control.fault(command="insert", error={"code": 50}, execute=True)
        self.assertEqual(r.ask(insert="c", documents=[{"_id": 9}])["code"], 50)
        self.assertEqual(self.c.count_documents({"_id": 9}), 1)
        self.control.fault(command="insert", collection="other", error={"code": 1})
        self.assertEqual(r.ask(insert="c", documents=[{"_id": 10}])["ok"], 1)
        self.control.say("clear", True)
        self.assertEqual(r.ask(insert="other", documents=[{"_id": 10}])["ok"], 1)

    def test_cuts(self):
        for cut, runs, answers in (("before", False, False), ("executed", True, False), ({"within": 20}, True, False),
                                   ("after", True, True)):
            self.control.fault(command="insert", cut=cut)
            r, one = self.raw(), str(cut)
            answer = r.ask(insert="c", documents=[{"_id": one}])
            self.assertEqual(answer is not None, answers, cut)
            self.assertIsNone(r.take())
            self.assertEqual(self.c.count_documents({"_id": one}), int(runs), cut)

    def test_cut_after_the_cursor_moved(self):
        self.control.fault(command="getMore", stream=True, cut="executed")
        r = self.raw()
        cur = r.stream()
        self.c.insert_many([{"_id": 1}, {"_id": 2}])
        self.assertIsNone(r.more(cur))
        self.assertEqual(self.raw().more(cur)["cursor"]["nextBatch"], [])
        # One that waited is cut as well.
        self.control.fault(command="getMore", stream=True, cut="executed")
        r2 = self.raw()
        r2.send(getMore=Int64(cur["id"]), collection="c", maxTimeMS=5000)
        self.wait(lambda: self.control.say("status")["waiting"] == 1)
        self.c.insert_one({"_id": 3})
        self.assertIsNone(r2.take())

    def wait(self, condition):
        end = time.time() + 10
        while not condition():
            self.assertLess(time.time(), end)
            time.sleep(0.01)

    def test_slow(self):
        self.control.fault(command="ping", delay_ms=150)
        self.control.fault(command="ping", trickle={"bytes": 4, "ms": 2})
        r = self.raw()
        for _ in range(2):
            began = time.time()
            self.assertEqual(r.ask(ping=1)["ok"], 1)
            self.assertGreater(time.time() - began, 0.06)
        self.assertEqual(r.ask(ping=1)["ok"], 1)

    def test_hang(self):
        self.control.fault(command="insert", hang=True)
        self.control.fault(command="insert", hang=True, execute=True)
        for i in range(2):
            r = self.raw()
            r.send(insert="c", documents=[{"_id": i}])
            r.send(ping=1)
            r.socket.settimeout(0.15)
            with self.assertRaises(socket.timeout):
                r.take()
        self.assertEqual([d["_id"] for d in self.c.find()], [1])

    def test_chance_and_seed(self):
        taken = []
        for _ in range(2):
            self.control.say("seed", 7)
            self.control.fault(command="ping", times=-1, chance=0.3, error={"code": 6})
            r = self.raw()
            taken.append([r.ask(ping=1)["ok"] for _ in range(40)])
            self.control.say("clear", True)
        self.assertEqual(taken[0], taken[1])
        self.assertTrue(4 < taken[0].count(0) < 24)

    def test_empty_batches(self):
        r = self.raw()
        cur = r.stream()
        self.c.insert_one({"_id": 1})
        self.control.fault(command="getMore", stream=True, empty=True)
        self.control.fault(command="getMore", stream=True, empty=True, no_token=True)
        self.control.fault(command="getMore", stream=True, no_token=True)
        got = [r.more(cur)["cursor"] for _ in range(4)]
        self.assertEqual([len(g["nextBatch"]) for g in got], [0, 0, 1, 0])
        self.assertEqual(["postBatchResumeToken" in g for g in got], [True, False, False, True])
        self.assertLess(got[0]["postBatchResumeToken"]["_data"], got[2]["nextBatch"][0]["_id"]["_data"])

    def test_killed_with_events(self):
        r = self.raw()
        cur = r.stream()
        self.c.insert_one({"_id": 1})
        self.control.fault(command="getMore", kill_cursor=True)
        self.assertEqual([r.more(cur)["code"] for _ in range(2)], [237, 43])
        cur = r.stream()
        self.assertEqual(self.control.say("kill_streams")["killed"], 1)
        self.assertEqual(r.more(cur)["code"], 43)
        cur = r.stream()
        r.send(getMore=Int64(cur["id"]), collection="c", maxTimeMS=9000)
        self.wait(lambda: self.control.say("status")["waiting"] == 1)
        self.control.say("kill_streams")
        self.assertEqual(r.take()["code"], 237)

    def test_interrupt_and_cut_all(self):
        r = self.raw()
        cur = r.stream()
        r.send(getMore=Int64(cur["id"]), collection="c", maxTimeMS=9000)
        self.wait(lambda: self.control.say("status")["waiting"] == 1)
        self.control.say("interrupt", 11601)
        answer = r.take()
        self.assertEqual((answer["code"], answer["errorLabels"]), (11601, ["ResumableChangeStreamError"]))
        self.assertGreater(self.control.say("cut", "all")["cut"], 0)
        self.assertIsNone(r.take())

    def test_step_down(self):
        r = self.raw()
        before = r.ask(hello=1)
        cur = r.stream()
        r.send(getMore=Int64(cur["id"]), collection="c", maxTimeMS=9000)
        self.wait(lambda: self.control.say("status")["waiting"] == 1)
        self.control.say("step_down", {})
        answer = r.take()
        self.assertEqual((answer["code"], answer["errorLabels"]), (11602, ["ResumableChangeStreamError"]))
        h = r.ask(hello=1)
        self.assertEqual((h["isWritablePrimary"], h["secondary"]), (False, True))
        self.assertNotIn("primary", h)
        self.assertEqual(r.ask(insert="c", documents=[{}])["code"], 10107)
        self.assertEqual(r.ask(find="c")["code"], 13435)
        self.assertEqual(r.ask(**{"find": "c", "$readPreference": {"mode": "secondary"}})["ok"], 1)
        self.control.say("elect")
        after = r.ask(hello=1)
        self.assertTrue(after["isWritablePrimary"])
        self.assertGreater(str(after["electionId"]), str(before["electionId"]))
        # A driver gets over it by itself.
        self.control.say("step_down", {"ms": 300})
        self.c.insert_one({"_id": 1})
        self.control.say("step_down", {"ms": 1, "cut": True})
        self.assertIsNone(r.take())

    def test_claims(self):
        self.control.say("claim", {"election_id": "7fffffff00000000000000ff", "set_version": 4})
        h = self.raw().ask(hello=1)
        self.assertEqual((str(h["electionId"]), h["setVersion"]), ("7fffffff00000000000000ff", 4))
        self.control.say("claim", {})
        self.assertEqual(self.raw().ask(hello=1)["setVersion"], 1)

    def test_roll_oplog(self):
        r = self.raw()
        cur = r.stream()
        token = cur["postBatchResumeToken"]
        self.c.insert_many([{"_id": i} for i in range(20)])
        self.control.say("roll_oplog", 3)
        self.assertEqual(self.control.say("status")["oplog_entries"], 3)
        self.assertEqual(r.more(cur)["code"], 136)
        answer = r.ask(aggregate="c", pipeline=[{"$changeStream": {"startAfter": token}}], cursor={})
        self.assertEqual((answer["code"], answer["errorLabels"]), (286, ["NonResumableChangeStreamError"]))
        # Still so after a restart.
        self.killed()
        answer = self.raw().ask(aggregate="c", pipeline=[{"$changeStream": {"startAfter": token}}], cursor={})
        self.assertEqual(answer["code"], 286)

    def test_one_cluster_time(self):
        r = self.raw()
        cur = r.stream()
        self.control.say("one_time", 1)
        r.ask(insert="c", documents=[{"_id": i} for i in range(4)])
        r.ask(insert="c", documents=[{"_id": 9}])
        events = r.more(cur)["cursor"]["nextBatch"]
        self.assertEqual([e["documentKey"]["_id"] for e in events], [0, 1, 2, 3, 9])
        self.assertEqual(len({e["clusterTime"] for e in events}), 2)
        tokens = [e["_id"]["_data"] for e in events]
        self.assertEqual((len(set(tokens)), sorted(tokens)), (5, tokens))
        for i in range(5):
            rest = r.more(r.stream(startAfter={"_data": tokens[i]}))["cursor"]["nextBatch"] if i == 4 else \
                r.stream(startAfter={"_data": tokens[i]})["firstBatch"]
            self.assertEqual([e["_id"]["_data"] for e in rest], tokens[i + 1:])

    def test_transaction_across_batches(self):
        r = self.raw()
        cur = r.stream()
        with self.client.start_session() as s, s.start_transaction():
            self.c.insert_many([{"_id": i} for i in range(6)], session=s)
        got = []
        while len(got) < 6:
            batch = r.ask(getMore=Int64(cur["id"]), collection="c", batchSize=2)["cursor"]
            got += batch["nextBatch"]
            self.assertEqual(batch["postBatchResumeToken"], got[-1]["_id"])
            rest = r.ask(aggregate="c", pipeline=[{"$changeStream": {"startAfter": got[-1]["_id"]}}],
                         cursor={})["cursor"]["firstBatch"]
            self.assertEqual(len(rest), 6 - len(got))
        self.assertEqual(len({e["clusterTime"] for e in got}), 1)

    def test_hold(self):
        r = self.raw()
        cur = r.stream()
        self.c.insert_many([{"_id": i} for i in range(4)])
        self.control.say("hold", 2)
        self.assertEqual(len(r.more(cur)["cursor"]["nextBatch"]), 2)
        self.c.insert_one({"_id": 9})
        held = r.more(cur)["cursor"]
        self.assertEqual(held["nextBatch"], [])
        self.control.say("hold", False)
        rest = r.more(cur)["cursor"]["nextBatch"]
        self.assertEqual([e["documentKey"]["_id"] for e in rest], [2, 3, 9])
        self.assertLess(held["postBatchResumeToken"]["_data"], rest[0]["_id"]["_data"])

    def test_majority(self):
        """Reads of "majority" see what it has; told a time that it is behind of, they wait, and one ahead of all is refused."""
        r = self.raw()
        self.c.insert_many([{"_id": i} for i in range(4)])
        self.control.say("hold", 0)
        self.c.insert_one({"_id": 9})
        self.c.delete_one({"_id": 1})
        newest = self.c.database.command("update", "c", updates=[
            {"q": {"_id": 2}, "u": {"$set": {"x": 1}}}])["operationTime"]
        majority = {"level": "majority"}
        held = r.ask(find="c", sort={"_id": 1}, readConcern=majority)
        self.assertEqual(held["cursor"]["firstBatch"], [{"_id": i} for i in range(4)])
        self.assertLess(held["operationTime"], newest)
        self.assertEqual(held["$clusterTime"]["clusterTime"], newest)
        self.assertEqual(len(r.ask(find="c")["cursor"]["firstBatch"]), 4)
        self.assertIn({"_id": 9}, r.ask(find="c")["cursor"]["firstBatch"])
        # A new stream begins behind what is applied, whatever a majority has.
        token = r.stream()["postBatchResumeToken"]["_data"]
        self.assertGreater(token[:18], "82%08X%08X" % (newest.time, newest.inc))
        r.send(find="c", readConcern={**majority, "afterClusterTime": newest})
        while not self.control.say("status")["parked"]:
            time.sleep(0.01)
        self.control.say("hold", False)
        self.assertEqual(sorted(r.take()["cursor"]["firstBatch"], key=lambda d: d["_id"]),
                         [{"_id": 0}, {"_id": 2, "x": 1}, {"_id": 3}, {"_id": 9}])
        ahead = Timestamp(newest.time + 1000, 1)
        self.assertEqual(r.ask(find="c", readConcern={**majority, "afterClusterTime": ahead})["code"], 72)

    def test_shard(self):
        for move, wanted in (("stay", ["update"]), ("delete", ["delete", "insert"]), ("insert", ["insert", "delete"])):
            self.c.drop()
            self.control.say("shard", {"db": "x", "collection": "c", "key": {"a.b": 1}, "move": move})
            cur = (r := self.raw()).stream(fullDocument="updateLookup")
            self.c.insert_many([{"_id": 1, "a": {"b": 1}}, {"_id": 1, "a": {"b": 2}}, {"_id": 2}])
            self.c.update_one({"_id": 1, "a.b": 1}, {"$set": {"a.b": 3}})
            self.c.delete_one({"_id": 1, "a.b": 2})
            with self.assertRaises(DuplicateKeyError):
                self.c.insert_one({"_id": 1, "a": {"b": 3}})
            events = r.more(cur)["cursor"]["nextBatch"]
            self.assertEqual([e["operationType"] for e in events], ["insert"] * 3 + wanted + ["delete"])
            self.assertEqual([e["documentKey"] for e in events[:3]],
                             [{"a.b": 1, "_id": 1}, {"a.b": 2, "_id": 1}, {"_id": 2}])
            moved = {e["operationType"]: e["documentKey"] for e in events[3:-1]}
            self.assertEqual(moved.get("insert", moved.get("update")), {"a.b": 3, "_id": 1})
            self.assertEqual(moved.get("delete", {"a.b": 1, "_id": 1}), {"a.b": 1, "_id": 1})
            self.assertEqual(len({e["clusterTime"] for e in events[3:-1]}), 1)
            self.assertEqual(events[-1]["documentKey"], {"a.b": 2, "_id": 1})
            self.assertEqual(self.c.find_one({"_id": 1}), {"_id": 1, "a": {"b": 3}})

    def test_advance(self):
        r = self.raw()
        before = r.ask(ping=1)["$clusterTime"]["clusterTime"]
        self.control.say("advance", 50)
        self.assertGreaterEqual(r.ask(ping=1)["operationTime"].time, before.time + 50)

    def test_deny(self):
        self.control.say("deny", {"find": True, "changeStream": True})
        r = self.raw()
        self.assertEqual(r.ask(find="c")["code"], 13)
        self.assertEqual(r.ask(aggregate="c", pipeline=[{"$changeStream": {}}], cursor={})["code"], 13)
        self.control.say("deny", {})
        self.assertEqual(r.ask(find="c")["ok"], 1)

    def test_broken_documents(self):
        r = self.raw()
        cur = r.stream()
        bad = bson.encode({"_id": 1, "a": "xyz"}).replace(b"xyz", b"\xff\xfez")
        for document in (bad, bson.encode({"_id": 1, "a": float("nan")})):
            self.control.say("write", {"db": "x", "collection": "c", "hex": document.hex()})
        self.control.say("write", {"db": "x", "collection": "c", "hex": document.hex(), "remove": True})
        events = r.more(cur)["cursor"]["nextBatch"]
        self.assertEqual([e["operationType"] for e in events], ["insert", "replace", "delete"])
        self.assertIn("\ufffd", events[0]["fullDocument"]["a"])
        for wrong in ("", "zz", bson.encode({"a": 1}).hex(), document.hex()[:-2]):
            with self.assertRaises(control_of.Refused):
                self.control.say("write", {"db": "x", "collection": "c", "hex": wrong})

    def test_data_survives(self):
        self.client.x.create_collection("empty")
        self.c.insert_many([{"_id": i, "n": 0} for i in range(50)])
        self.c.update_many({"_id": {"$lt": 10}}, {"$set": {"n": 1}})
        self.c.replace_one({"_id": 20}, {"text": "new"})
        self.c.delete_many({"_id": {"$gte": 40}})
        token = self.raw().stream()["postBatchResumeToken"]
        self.client.x.gone.insert_one({})
        self.client.x.gone.drop()
        self.client.x.old.insert_one({"_id": 1})
        self.client.x.old.rename("new")
        with self.client.start_session() as s, s.start_transaction():
            self.c.insert_many([{"_id": "t%d" % i} for i in range(3)], session=s)
        want = sorted(self.c.find(), key=str)
        names = sorted(self.client.x.list_collection_names())
        election = self.raw().ask(hello=1)["electionId"]
        infos = {i["name"]: i["info"]["uuid"] for i in self.client.x.list_collections()}
        self.killed()
        self.assertEqual(sorted(self.c.find(), key=str), want)
        self.assertEqual(sorted(self.client.x.list_collection_names()), names)
        self.assertEqual({i["name"]: i["info"]["uuid"] for i in self.client.x.list_collections()}, infos)
        self.assertGreater(str(self.raw().ask(hello=1)["electionId"]), str(election))
        events = self.raw().stream(startAfter=token)["firstBatch"]
        self.assertEqual([e["documentKey"]["_id"] for e in events], ["t0", "t1", "t2"])
        self.c.insert_one({"_id": "later"})
        self.killed("--elect-ms", "200")
        self.assertEqual(self.c.count_documents({"_id": "later"}), 1)

    def test_torn_journal(self):
        self.c.insert_one({"_id": 1})
        self.c.insert_many([{"_id": 2}, {"_id": 3}])
        self.standin.process.kill()
        self.standin.process.wait()
        path = self.dir.name + "/data/journal"
        os.truncate(path, os.path.getsize(path) - 3)
        self.killed()
        # The retryable write's own record is in the frame, too: whole or not at all.
        self.assertEqual([d["_id"] for d in self.c.find()], [1])
        self.c.insert_one({"_id": 4})
        self.killed()
        self.assertEqual([d["_id"] for d in self.c.find()], [1, 4])

    def test_retried_write_across_a_restart(self):
        lsid = {"id": bson.Binary(uuid.uuid4().bytes, 4)}
        write = dict(update="c", updates=[{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}, "upsert": True}],
                     lsid=lsid, txnNumber=Int64(5))
        first = self.raw().ask(**write)
        self.killed()
        again = self.raw().ask(**write)
        self.assertEqual((again["n"], again["upserted"]), (first["n"], first["upserted"]))
        self.assertEqual(self.c.find_one()["n"], 1)


if __name__ == "__main__":
    if not REAL and not PROGRAM:
        raise SystemExit("set MONGO_STANDIN to the program, or DUNE_TEST_MONGODB_URI")
    unittest.main(verbosity=1)
