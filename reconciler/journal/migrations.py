"""The journal's tables, version by version; what stands here is never changed, only added to."""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x7645_4A31
"""Marks the file as ours ("vEJ1"), so that another program's database is not taken for a journal."""

_FIRST = """
CREATE TABLE facts (name TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE totals (name TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE memory (
    section TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (section, key)
) WITHOUT ROWID;
CREATE TABLE intents (
    position INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
    fate TEXT, height INTEGER, time INTEGER, code INTEGER, codespace TEXT, log TEXT
);
CREATE INDEX intents_open ON intents (position) WHERE fate IS NULL;
CREATE TABLE outcomes (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL);
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL);
CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, request TEXT NOT NULL UNIQUE, at INTEGER NOT NULL);
CREATE TABLE decisions (
    subject TEXT NOT NULL, word TEXT NOT NULL, held INTEGER NOT NULL, ours INTEGER NOT NULL,
    message TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
    PRIMARY KEY (subject, word)
) WITHOUT ROWID;
"""

_SECOND = """
REPLACE INTO totals (name, amount)
SELECT 'ended_' || fate, count(*) FROM intents WHERE fate IS NOT NULL GROUP BY fate;
"""

_THIRD = """
ALTER TABLE decisions ADD COLUMN ended_at INTEGER NOT NULL DEFAULT 0;
CREATE TABLE history (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, content TEXT NOT NULL);
"""

_FOURTH = """
CREATE TABLE approvals (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL);
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL, plan_digest TEXT NOT NULL,
    seen_at INTEGER NOT NULL, judged_at INTEGER NOT NULL, ended_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX revisions_open ON revisions (id) WHERE ended_at = 0;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH)
"""MIGRATIONS[n] leads from version n to n + 1."""


class NotOurs(Exception):  # noqa: N818 - a finding, turned into a sentence by the caller
    """The file is of another program, or of a newer version of this one."""


def is_outdated(connection: sqlite3.Connection) -> bool:
    """Whether the file lacks what this version reads; NotOurs where a newer one wrote it."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    _not_newer(version)
    return bool(version < len(MIGRATIONS))


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest version, each step whole or not at all."""
    (ours,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if ours != APPLICATION_ID and tables:
        raise NotOurs("it is a database of another program")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    _not_newer(version)
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script} PRAGMA application_id = {APPLICATION_ID}; "
            f"PRAGMA user_version = {number}; COMMIT;"
        )


def _not_newer(version: int) -> None:
    if version > len(MIGRATIONS):
        raise NotOurs(
            f"it was written by a newer provider-daemon (version {version}, this one knows "
            f"{len(MIGRATIONS)}); install that one again"
        )
