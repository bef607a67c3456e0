package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets this test binary stand for the program itself, under the name by which a test calls it.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_AS_PROGRAM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func call(t *testing.T, name string, arguments ...string) (output string, code int) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(program, link); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(link, arguments...)
	command.Env = append(os.Environ(), "RUN_AS_PROGRAM=1", "END_WITH_STDIN=")
	text, err := command.CombinedOutput()
	if command.ProcessState == nil {
		t.Fatal(err)
	}
	return string(text), command.ProcessState.ExitCode()
}

func TestAnUnknownNameIsRefusedWithTheKnownOnes(t *testing.T) {
	output, code := call(t, "kubelet")
	if code != 2 || !strings.Contains(output, `called as "kubelet"`) || !strings.Contains(output, "kube-apiserver") {
		t.Fatalf("exit %d: %s", code, output)
	}
}

func TestEveryNameIsTheUpstreamCommand(t *testing.T) {
	for name, expected := range map[string]string{
		"etcd":                    "etcd Version: 3.6",
		"kube-apiserver":          "Kubernetes v",
		"kube-controller-manager": "Kubernetes v",
		"kube-scheduler":          "Kubernetes v",
	} {
		output, code := call(t, name, "--version")
		if code != 0 || !strings.HasPrefix(output, expected) {
			t.Errorf("%s --version: exit %d: %s", name, code, output)
		}
	}
	output, code := call(t, "kubectl", "version", "--client")
	if code != 0 || !strings.HasPrefix(output, "Client Version: v") {
		t.Errorf("kubectl version: exit %d: %s", code, output)
	}
}

func TestAComponentEndsWithItsStandardInput(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "etcd")
	if err := os.Symlink(program, link); err != nil {
		t.Fatal(err)
	}
	socket := "unix://" + filepath.Join(t.TempDir(), "client")
	command := exec.Command(link, "--data-dir", t.TempDir(), "--listen-client-urls", socket, "--advertise-client-urls", socket,
		"--listen-peer-urls", "http://127.0.0.1:0", "--log-level=error")
	command.Env = append(os.Environ(), "RUN_AS_PROGRAM=1", "END_WITH_STDIN=1")
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if err := input.Close(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	if code := command.ProcessState.ExitCode(); code != 1 {
		t.Fatalf("exit %d", code)
	}
}
