-- Times are microseconds since 1970, 0 for none. Ids are sequence numbers.
-- The constraints repeat the law of package candor, so that a state which may
-- not exist cannot be written, whoever writes it. See docs/adr/0003-sqlite-rows.md.

-- +goose Up
CREATE TABLE meta (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    epoch        INTEGER NOT NULL CHECK (epoch >= 0), -- raised by each leader that opens
    revision     INTEGER NOT NULL CHECK (revision >= 0),
    next_task    INTEGER NOT NULL CHECK (next_task > 0),
    next_batch   INTEGER NOT NULL CHECK (next_batch > 0),
    next_lease   INTEGER NOT NULL CHECK (next_lease > 0),
    next_session INTEGER NOT NULL CHECK (next_session > 0),
    next_event   INTEGER NOT NULL CHECK (next_event > 0)
) STRICT;

CREATE TABLE batch (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    key         TEXT UNIQUE CHECK (key <> ''),
    state       TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    cancelled   INTEGER NOT NULL CHECK (cancelled IN (0, 1)),
    created_at  INTEGER NOT NULL CHECK (created_at <> 0),
    finished_at INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    plan_file   TEXT NOT NULL,
    plan_dir    TEXT NOT NULL,
    inputs      TEXT,
    total       INTEGER NOT NULL CHECK (total >= 0),
    counts      TEXT CHECK (counts IS NULL OR json_valid(counts)),
    CHECK (CASE state
        WHEN 'active'   THEN outcome = '' AND finished_at = 0
        WHEN 'complete' THEN outcome IN ('succeeded', 'failed', 'cancelled') AND finished_at <> 0
        ELSE 0 END)
) STRICT;
CREATE INDEX batch_active ON batch (id) WHERE state = 'active';
CREATE INDEX batch_ended ON batch (finished_at) WHERE state = 'complete';

-- What a plan says of a step, once for all its tasks. The counts follow each
-- commit: they are a few rows, and a list of batches need not visit tasks.
CREATE TABLE step (
    batch      INTEGER NOT NULL REFERENCES batch ON DELETE CASCADE,
    number     INTEGER NOT NULL CHECK (number >= 0),
    name       TEXT NOT NULL,
    class      TEXT NOT NULL,
    spec       TEXT NOT NULL CHECK (json_valid(spec)),
    expanded   INTEGER NOT NULL CHECK (expanded IN (0, 1)),
    total      INTEGER NOT NULL CHECK (total >= 0),
    flag       TEXT CHECK (flag IS NULL OR json_valid(flag)), -- why a person should look at it
    blocked    INTEGER NOT NULL DEFAULT 0 CHECK (blocked >= 0),
    queued     INTEGER NOT NULL DEFAULT 0 CHECK (queued >= 0),
    processing INTEGER NOT NULL DEFAULT 0 CHECK (processing >= 0),
    complete   INTEGER NOT NULL DEFAULT 0 CHECK (complete >= 0),
    failed     INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
    cancelled  INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
    PRIMARY KEY (batch, number)
) STRICT, WITHOUT ROWID;

-- A run of tasks with neighbouring ids: which step they are of. A span whose
-- batch is gone is left for Prune to clear.
CREATE TABLE span (
    first       INTEGER PRIMARY KEY,
    last        INTEGER NOT NULL,
    batch       INTEGER REFERENCES batch ON DELETE SET NULL,
    step        INTEGER NOT NULL,
    first_index INTEGER NOT NULL, -- -1: no fan-out
    CHECK (first > 0 AND last >= first AND (first_index >= 0 OR first_index = -1 AND last = first))
) STRICT;
CREATE INDEX span_batch ON span (batch, step);

-- The items of up to some hundred neighbouring tasks, each with its length.
CREATE TABLE item (
    first INTEGER PRIMARY KEY,
    last  INTEGER NOT NULL CHECK (last >= first),
    data  BLOB NOT NULL
) STRICT;

-- What moves of a task, and nothing else: rows are small, so a commit of
-- neighbours writes few pages. No index but the key, for the same reason.
CREATE TABLE task (
    id          INTEGER PRIMARY KEY CHECK (id > 0),
    state       TEXT NOT NULL,
    attempt     INTEGER NOT NULL CHECK (attempt >= 0),
    counted     INTEGER NOT NULL CHECK (counted >= 0),
    tries       INTEGER NOT NULL CHECK (tries >= 0),
    worker      TEXT NOT NULL,
    lease       INTEGER NOT NULL CHECK (lease >= 0),
    queued_at   INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    extra       TEXT CHECK (extra IS NULL OR json_valid(extra)),
    CHECK (CASE state
        WHEN 'processing' THEN lease > 0 AND worker <> '' AND started_at <> 0 AND finished_at = 0
        WHEN 'complete'   THEN finished_at <> 0
        WHEN 'queued'     THEN lease = 0 AND worker = '' AND started_at = 0 AND finished_at = 0
        WHEN 'blocked'    THEN lease = 0 AND worker = '' AND started_at = 0 AND finished_at = 0
        WHEN 'failed'     THEN finished_at <> 0
        WHEN 'cancelled'  THEN finished_at <> 0
        ELSE 0 END)
) STRICT;

-- Attempts that ended without completing their task.
CREATE TABLE attempt (
    task   INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    data   TEXT NOT NULL CHECK (json_valid(data)),
    PRIMARY KEY (task, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE worker (
    name      TEXT PRIMARY KEY CHECK (name <> ''),
    session   INTEGER NOT NULL CHECK (session > 0),
    state     TEXT NOT NULL CHECK (state IN
        ('ready', 'cold', 'loading', 'hot', 'unloading', 'paused', 'lost', 'gone')),
    draining  INTEGER NOT NULL CHECK (draining IN (0, 1)),
    joined_at INTEGER NOT NULL,
    seen_at   INTEGER NOT NULL,
    completed INTEGER NOT NULL CHECK (completed >= 0),
    failed    INTEGER NOT NULL CHECK (failed >= 0),
    info      TEXT NOT NULL CHECK (json_valid(info))
) STRICT, WITHOUT ROWID;

CREATE TABLE pause (
    scope  TEXT NOT NULL CHECK (scope IN ('all', 'class', 'batch', 'worker', 'quarantine')),
    target TEXT NOT NULL,
    by     TEXT NOT NULL,
    why    TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (scope, target)
) STRICT, WITHOUT ROWID;

-- The events of one commit, in one row: what narrows a search stands beside
-- them. workers is a mask of hashed names, 0 in a range means none.
CREATE TABLE event (
    first     INTEGER PRIMARY KEY,
    last      INTEGER NOT NULL,
    at        INTEGER NOT NULL, -- of the newest
    count     INTEGER NOT NULL CHECK (count > 0),
    loudest   INTEGER NOT NULL,
    batch_min INTEGER NOT NULL,
    batch_max INTEGER NOT NULL,
    task_min  INTEGER NOT NULL,
    task_max  INTEGER NOT NULL,
    workers   INTEGER NOT NULL,
    data      BLOB NOT NULL,
    CHECK (first > 0 AND last >= first)
) STRICT;

-- +goose Down
SELECT 'there is no way back behind the first version';
