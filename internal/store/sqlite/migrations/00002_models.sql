-- Orders about models are batches of their own kind; what was measured of a
-- model, and where a worker's time went, outlive the brain.

-- +goose Up
ALTER TABLE batch ADD COLUMN kind TEXT NOT NULL DEFAULT '' CHECK (kind IN ('', 'order'));
CREATE INDEX batch_asked ON batch (id) WHERE kind = ''; -- lists leave orders out

ALTER TABLE worker ADD COLUMN account TEXT CHECK (account IS NULL OR json_valid(account));

CREATE TABLE model (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    data TEXT NOT NULL CHECK (json_valid(data))
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE model;
ALTER TABLE worker DROP COLUMN account;
DROP INDEX batch_asked;
ALTER TABLE batch DROP COLUMN kind;
