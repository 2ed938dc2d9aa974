-- Sequences up to here were given to events of the call that are lost: a file was damaged. They are not used again.
ALTER TABLE calls ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;

-- CRC-32C of the id and the body: a disk that changes bits of them is not noticed by SQLite. 0 for events of before.
ALTER TABLE events ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
