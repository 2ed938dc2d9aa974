-- Sequences up to here were given to events of the call that are lost: a file was damaged. They are not used again.
ALTER TABLE calls ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
