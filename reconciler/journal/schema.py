"""The journal's tables."""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x7645_4A31
"""Identifies the file ("vEJ1"), so that another program's database is not mistaken for a journal."""

VERSION = 1
"""Written into the file; a journal of another version is refused."""

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE totals (name TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE memory (
    section TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (section, key)
) WITHOUT ROWID;
CREATE TABLE intents (
    position INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
    outcome TEXT, height INTEGER, time INTEGER, code INTEGER, codespace TEXT, log TEXT
);
CREATE INDEX intents_open ON intents (position) WHERE outcome IS NULL;
CREATE TABLE results (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL);
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL);
CREATE TABLE history (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, content TEXT NOT NULL);
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT, height INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
    amount INTEGER NOT NULL, tx TEXT NOT NULL, lease TEXT NOT NULL, deployment TEXT NOT NULL,
    counterparty TEXT NOT NULL, revision TEXT NOT NULL
);
CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, request TEXT NOT NULL UNIQUE, at INTEGER NOT NULL);
CREATE TABLE approvals (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL);
CREATE TABLE decisions (
    subject TEXT NOT NULL, reason TEXT NOT NULL, held INTEGER NOT NULL, ours INTEGER NOT NULL,
    message TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    ended_at INTEGER NOT NULL, order_id TEXT NOT NULL, owner TEXT NOT NULL, dseq TEXT NOT NULL,
    PRIMARY KEY (subject, reason)
) WITHOUT ROWID;
CREATE INDEX decisions_by_order ON decisions (order_id) WHERE order_id != '';
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL, plan_digest TEXT NOT NULL,
    seen_at INTEGER NOT NULL, judged_at INTEGER NOT NULL, ended_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX revisions_open ON revisions (id) WHERE ended_at = 0;
"""


class ForeignJournalError(Exception):
    """The file is of another program, or another version of this one; the arguments are cause and advice."""


def check_version(connection: sqlite3.Connection) -> None:
    """Raise ForeignJournalError for a file of another version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        raise ForeignJournalError("it is empty", "start the daemon once")
    if version != VERSION:
        newer = "a newer" if version > VERSION else "another"
        raise ForeignJournalError(
            f"it was written by {newer} release of provider-daemon (table version {version}; this release "
            f"reads {VERSION})",
            "install that release again",
        )


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty file; check the version of any other."""
    (ours,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables:
        if ours != APPLICATION_ID:
            raise ForeignJournalError(
                "it is a database of another program", "name another state directory in the host file"
            )
        check_version(connection)
        return
    connection.executescript(
        f"BEGIN IMMEDIATE; {_TABLES} PRAGMA application_id = {APPLICATION_ID}; "
        f"PRAGMA user_version = {VERSION}; COMMIT;"
    )
