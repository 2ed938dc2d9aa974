-- Times are nanoseconds since 1970. Numbers in events.position are never used twice.

CREATE TABLE calls (
	key         INTEGER PRIMARY KEY,
	id          TEXT    NOT NULL UNIQUE, -- the carrier's
	carrier     TEXT    NOT NULL,
	from_number TEXT    NOT NULL,
	to_number   TEXT    NOT NULL,
	direction   TEXT    NOT NULL,
	started     INTEGER NOT NULL,        -- when its first event happened
	ended       INTEGER,                 -- when its last stream ended; NULL before, or if that was never told
	streams     INTEGER NOT NULL,        -- that are up
	reason      TEXT    NOT NULL DEFAULT '',
	duration_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX calls_started ON calls (started, key);
CREATE INDEX calls_from    ON calls (from_number, started, key);
CREATE INDEX calls_to      ON calls (to_number, started, key);

CREATE TABLE events (
	position INTEGER PRIMARY KEY,
	id       TEXT    NOT NULL UNIQUE, -- webhook-id
	call     INTEGER NOT NULL,        -- calls.key
	sequence INTEGER NOT NULL,
	type     TEXT    NOT NULL,
	stored   INTEGER NOT NULL,
	body     BLOB    NOT NULL         -- the bytes that are sent
) STRICT;
CREATE UNIQUE INDEX events_call ON events (call, sequence);

CREATE TABLE endpoints (
	key  INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;

-- What each endpoint got. A row is there from the moment its event is.
CREATE TABLE deliveries (
	position INTEGER NOT NULL,
	endpoint INTEGER NOT NULL,           -- endpoints.key
	state    TEXT    NOT NULL,           -- waiting, delivered, filtered, dead
	reason   TEXT    NOT NULL DEFAULT '',-- of a dead one
	settled  INTEGER NOT NULL DEFAULT 0, -- when; 0 while it waits
	PRIMARY KEY (position, endpoint)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_waiting ON deliveries (position, endpoint) WHERE state = 'waiting';
CREATE INDEX deliveries_dead    ON deliveries (position, endpoint) WHERE state = 'dead';

-- The requests that were made. Losing some loses no event.
CREATE TABLE attempts (
	key        INTEGER PRIMARY KEY,
	event      TEXT    NOT NULL,  -- events.id
	endpoint   TEXT    NOT NULL,
	number     INTEGER NOT NULL,
	live       INTEGER NOT NULL,
	redelivery TEXT    NOT NULL,
	started    INTEGER NOT NULL,
	latency_us INTEGER NOT NULL,
	status     INTEGER NOT NULL,
	class      TEXT    NOT NULL,
	error      TEXT    NOT NULL,
	remote     TEXT    NOT NULL,
	answer     BLOB    NOT NULL
) STRICT;
CREATE INDEX attempts_event ON attempts (event, key);

-- Words that were said, by events.position.
CREATE VIRTUAL TABLE said USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2');
INSERT INTO said (said, rank) VALUES ('secure-delete', 1);

-- The highest position that was deleted, so that it does not come again.
CREATE TABLE retired (position INTEGER NOT NULL) STRICT;
INSERT INTO retired VALUES (0);
