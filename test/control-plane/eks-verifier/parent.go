package main

import (
	"io"
	"os"
)

// endWithParent ends this process when its standard input ends, where the
// environment asks for it. A parent that holds the other end of that pipe takes
// its children along however it dies, even by SIGKILL.
func endWithParent() {
	if os.Getenv("END_WITH_STDIN") == "" {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
}
