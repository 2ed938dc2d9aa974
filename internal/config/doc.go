// Package config reads bridge.yaml, which selects the webhooks of each call and how its speech is recognized, and finds the
// route of a call by its numbers.
//
//	c, err := config.Read("bridge.yaml", os.Getenv)
//	…
//	if i := c.Find("+15550100001", "+15550100002"); i >= 0 {
//		r := c.Routes[i]
//	}
//
// Nothing in the file is guessed: a field that does not exist, a value of the wrong kind, a name that leads nowhere are
// errors, all of them at once, each with its line and what would be right. Values that only another package can check, such as a
// language, are checked there, and Place.Errorf adds the line to its error.
//
// Secrets do not stand in the file: it names environment variables and files that hold them, and ${NAME} in an
// address or a header stands for the environment variable of that name. Errors never repeat a value that may hold one.
package config
