"""SQLCipher doing what benches/vault.rs does: the same number and size of records, the
same batches, every commit synced, a raw key (so that no key derivation is timed), a
4 MiB page cache. Needs `pip install sqlcipher3-wheels`.

    python3 benches/peers/vault_sqlcipher.py [RECORDS] [DIRECTORY]
"""

import os
import sys
import tempfile
import time

import sqlcipher3

N = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
SIZE, BATCH, SINGLE = 1024, 1000, 500
PATH = os.path.join(tempfile.mkdtemp(dir=sys.argv[2] if len(sys.argv) > 2 else None), "peer.db")


def key(i):
    return (((i * 0x9E3779B97F4A7C15) % N) << 64 | i).to_bytes(16, "big")


def connect():
    db = sqlcipher3.connect(PATH, isolation_level=None)
    db.execute("PRAGMA key = \"x'" + "42" * 32 + "'\"")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -4096")
    return db


def report(what, n, start):
    seconds = time.perf_counter() - start
    print(f"{what:<28} {seconds:>9.3f} s {n / seconds:>12.0f} /s")


values = [os.urandom(SIZE) for _ in range(N)]
keys = [key(i) for i in range(N)]
db = connect()
db.execute("CREATE TABLE records (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
print(f"SQLCipher {db.execute('PRAGMA cipher_version').fetchone()[0]}: {N} records of {SIZE} bytes")
start = time.perf_counter()
for at in range(0, N, BATCH):
    db.execute("BEGIN")
    db.executemany("INSERT INTO records VALUES (?, ?)", zip(keys[at : at + BATCH], values[at : at + BATCH]))
    db.execute("COMMIT")
report("load, 1000 a transaction", N, start)
start = time.perf_counter()
for i in range(SINGLE):
    db.execute("INSERT OR REPLACE INTO records VALUES (?, ?)", (keys[i], values[i]))
report("durable write, one each", SINGLE, start)
start = time.perf_counter()
db.close()
report("close", 1, start)
start = time.perf_counter()
db = connect()
db.execute("SELECT value FROM records LIMIT 1").fetchone()
report("open", 1, start)
start = time.perf_counter()
for i in range(N):
    db.execute("SELECT value FROM records WHERE key = ?", (keys[i * 7919 % N],)).fetchone()
report("read, one by one", N, start)
start = time.perf_counter()
seen = sum(len(row[0]) for row in db.execute("SELECT value FROM records ORDER BY key"))
report("read, all in order", N, start)
assert seen == N * SIZE
