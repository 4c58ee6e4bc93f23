-- Each store counts leases and sessions from numbers of its own, so that what
-- workers still hold of a former store is never taken for its own.

-- +goose Up
ALTER TABLE meta ADD COLUMN first_lease INTEGER NOT NULL DEFAULT 0 CHECK (first_lease >= 0);

-- +goose Down
ALTER TABLE meta DROP COLUMN first_lease;
