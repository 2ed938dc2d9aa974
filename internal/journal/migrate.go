package journal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// migrations are the steps from an empty file to the current schema, in the order of their names. Each is run once,
// in a transaction, and user_version counts them. A released step is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as a journal: "brdg".
const applicationID = 0x62726467

// migrate applies the missing migrations.
func migrate(ctx context.Context, db *sql.DB) error {
	steps, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("journal: migrate: %w", err)
	}
	var version, id, tables int
	row := db.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)`)
	if err := row.Scan(&version, &id, &tables); err != nil {
		return wrapSQLite("migrate", err)
	}
	ours, err := isOurs(ctx, db)
	switch {
	case err != nil:
		return wrapSQLite("migrate", err)
	case tables > 0 && !ours && id != applicationID:
		return ErrForeign
	case tables > 0 && (!ours || id != applicationID || version < 1 || version > maxVersion):
		return fmt.Errorf("%w: version %d of program %#x", ErrDamaged, version, id)
	case version > len(steps):
		return fmt.Errorf("%w: %d, this program supports up to %d", ErrNewer, version, len(steps))
	}
	for ; version < len(steps); version++ {
		step, err := migrations.ReadFile(steps[version])
		if err != nil {
			return fmt.Errorf("journal: migrate: %w", err)
		}
		err = migrateStep(ctx, db, string(step), version+1)
		if code(err) == codeError { // the tables do not match this version
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if err != nil {
			return wrapSQLite("migrate to version "+fmt.Sprint(version+1), err)
		}
	}
	return nil
}

// maxVersion is the highest plausible version; a higher one means damage.
const maxVersion = 10_000

// isOurs reports whether the file has the tables of a journal.
func isOurs(ctx context.Context, db *sql.DB) (bool, error) {
	var n int
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name IN ('calls', 'events', 'deliveries', 'retired')`).Scan(&n)
	return n == 4, err
}

// migrateStep runs one step.
func migrateStep(ctx context.Context, db *sql.DB, step string, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	// A pragma takes no parameters.
	step += fmt.Sprintf("\nPRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, version)
	if _, err := tx.ExecContext(ctx, step); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
