// Command render-helper turns files into Kubernetes objects with the field's own libraries: Kubernetes' YAML reader,
// Kustomize and Helm. It speaks JSON lines over standard input and output, and touches neither disk nor network: every file that
// it wants to see is asked for. It ends when its standard input does.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	softMemory = 512 << 20
	hardMemory = 1024 << 20
)

func main() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(softMemory)
	debug.SetMaxStack(256 << 20)
	sealOff()
	out := os.Stdout
	os.Stdout = os.Stderr // what a library prints must not stand between two answers
	newServer(os.Stdin, out).serve()
}

// sealOff leaves Kustomize, which fetches URLs and clones repositories by itself, without network and without git.
func sealOff() {
	http.DefaultTransport = noNetwork{}
	os.Clearenv()
}

type noNetwork struct{}

func (noNetwork) RoundTrip(request *http.Request) (*http.Response, error) {
	return nil, errors.New("remote files are refused: a render reads the commit only")
}

// watchMemory ends the process once it holds more than hardMemory, after a last word, until the returned function is called.
func watchMemory(lastWord func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(25 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				if heldMemory() > hardMemory {
					fmt.Fprintln(os.Stderr, "fatal error: memory limit reached")
					lastWord()
					os.Exit(3)
				}
			}
		}
	}()
	return func() { close(done) }
}

func heldMemory() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
