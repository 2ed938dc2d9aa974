package egress_test

import (
	"errors"
	"fmt"

	"aldeabridge/internal/egress"
)

func Example() {
	var guard egress.Guard // for URLs that are not the operator's
	for _, text := range []string{
		"http://recordings.example.com/hello.wav",
		"https://me:secret@recordings.example.com/hello.wav",
		"https://169.254.169.254/latest/meta-data",
	} {
		_, err := guard.URL(text)
		fmt.Println(err)
	}
	client := guard.Client()
	defer client.CloseIdleConnections()
	_, err := client.Get("https://169.254.169.254/latest/meta-data")
	fmt.Println(errors.Is(err, egress.ErrAddressRefused))

	// Output:
	// bad URL: it must begin with https://
	// bad URL: it must not have a user or a password
	// <nil>
	// true
}
