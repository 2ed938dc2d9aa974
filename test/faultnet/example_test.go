package faultnet_test

import (
	"context"
	"fmt"
	"io"

	"aldeabridge/test/faultnet"
)

func ExampleListener() {
	l := faultnet.Listen()
	defer func() { _ = l.Close() }()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.Copy(c, c) // an echo
	}()
	conn, link, err := l.Dial(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("hello"))
	echo := make([]byte, 5)
	_, _ = io.ReadFull(conn, echo)
	fmt.Println(string(echo))
	link.Reset()
	_, err = conn.Read(echo)
	fmt.Println(err)
	// Output:
	// hello
	// connection reset by peer
}
