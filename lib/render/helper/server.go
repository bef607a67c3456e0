package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
)

// message is one line from the other side: `render` and `decode` start a job, `found` answers a lookup, `ageKeys` and
// `decrypted` give keys of SOPS or say by `refusal` why not, `abort` ends a job.
type message struct {
	ID          int64             `json:"id"`
	Op          string            `json:"op"`
	Renderer    string            `json:"renderer"`
	Path        string            `json:"path"`
	Entries     []foundEntry      `json:"entries"`
	Kustomize   *kustomizeOptions `json:"kustomize"`
	RemoteBases []string          `json:"remoteBases"`
	Archive     string            `json:"archive"`
	ValueFiles  []foundEntry      `json:"valueFiles"`
	Helm        *helmOptions      `json:"helm"`
	AgeKeys     []string          `json:"ageKeys"`
	Plaintext   string            `json:"plaintext"`
	Refusal     string            `json:"refusal"`
	Retryable   bool              `json:"retryable"`
	// Attached are the lengths of the contents that follow the line.
	Attached []int `json:"attached"`
}

// kustomizeOptions are what an application lays over its kustomization.
type kustomizeOptions struct {
	Images            []string           `json:"images"`
	NamePrefix        string             `json:"namePrefix"`
	NameSuffix        string             `json:"nameSuffix"`
	Namespace         string             `json:"namespace"`
	CommonLabels      map[string]string  `json:"commonLabels"`
	CommonAnnotations map[string]string  `json:"commonAnnotations"`
	Replicas          []kustomizeReplica `json:"replicas"`
	Components        []string           `json:"components"`
	Patches           []kustomizePatch   `json:"patches"`
}

type kustomizeReplica struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

type kustomizePatch struct {
	Patch  string            `json:"patch"`
	Target map[string]string `json:"target"`
}

// helmOptions are what a chart is rendered with.
type helmOptions struct {
	ReleaseName string          `json:"releaseName"`
	Namespace   string          `json:"namespace"`
	Values      json.RawMessage `json:"values"`
	Parameters  []helmParameter `json:"parameters"`
	KubeVersion string          `json:"kubeVersion"`
	// ClusterAPIVersions take the place of Helm's defaults.
	ClusterAPIVersions []string `json:"clusterApiVersions"`
	APIVersions        []string `json:"apiVersions"`
	SkipCRDs           bool     `json:"skipCrds"`
	SkipTests          bool     `json:"skipTests"`
}

type helmParameter struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	ForceString bool   `json:"forceString"`
}

// kmsCiphertext is a data key of SOPS that only KMS can open.
type kmsCiphertext struct {
	ARN        string            `json:"arn"`
	Ciphertext string            `json:"ciphertext"`
	Context    map[string]string `json:"context"`
	Role       string            `json:"role"`
}

// foundEntry tells what the commit has at a path; a file's content is text, or base64 where it is not UTF-8. A symbolic link
// has the path behind it as target, itself behind no link.
type foundEntry struct {
	Path   string `json:"path"`
	Type   string `json:"type"`
	Target string `json:"target"`
	Text   string `json:"text"`
	Base64 string `json:"base64"`
	// Attached is the number, from 1, of the content behind the line; 0 when it is here.
	Attached int `json:"attached"`
	// bytes are what an encrypted file holds.
	bytes []byte
}

func (f foundEntry) content() ([]byte, error) {
	if f.bytes != nil {
		return f.bytes, nil
	}
	if f.Base64 != "" {
		return base64.StdEncoding.DecodeString(f.Base64)
	}
	return []byte(f.Text), nil
}

type answer struct {
	ID       int64          `json:"id"`
	Lookup   []string       `json:"lookup,omitempty"`
	AgeKeys  bool           `json:"ageKeys,omitempty"`
	Decrypt  *kmsCiphertext `json:"decrypt,omitempty"`
	Waiting  *bool          `json:"waiting,omitempty"`
	Objects  []string       `json:"objects,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
	Error    *renderError   `json:"error,omitempty"`
	Done     bool           `json:"done,omitempty"`
}

// renderError says what is wrong and where; Line is 0 where it is not known. Retryable: the same may succeed later.
type renderError struct {
	Message   string `json:"message"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
}

func (e *renderError) Error() string { return e.Message }

func failure(file string, line int, format string, args ...any) *renderError {
	return &renderError{Message: fmt.Sprintf(format, args...), File: file, Line: line}
}

type server struct {
	in  *bufio.Reader
	out *bufio.Writer

	writing sync.Mutex
	jobs    sync.Mutex
	waiting map[int64]chan message
}

func newServer(in io.Reader, out io.Writer) *server {
	return &server{in: bufio.NewReaderSize(in, 1<<16), out: bufio.NewWriterSize(out, 1<<16), waiting: map[int64]chan message{}}
}

func (s *server) serve() {
	for {
		line, err := s.in.ReadBytes('\n')
		if err != nil {
			return
		}
		var m message
		if err = json.Unmarshal(line, &m); err == nil {
			err = m.receive(s.in)
		}
		if err != nil {
			s.write(answer{Error: failure("", 0, "the request is not JSON: %v", err), Done: true})
			continue
		}
		switch m.Op {
		case "found", "ageKeys", "decrypted", "abort":
			s.deliver(m)
		default:
			s.start(m)
		}
	}
}

func (s *server) start(m message) {
	replies := make(chan message, 4)
	s.jobs.Lock()
	s.waiting[m.ID] = replies
	s.jobs.Unlock()
	go func() {
		defer watchMemory(func() { s.blame(m) })()
		result := s.run(m, replies)
		s.jobs.Lock()
		delete(s.waiting, m.ID)
		s.jobs.Unlock()
		result.ID, result.Done = m.ID, true
		s.write(result)
	}()
}

// blame says whose fault the end of the process is, when no other job can be the reason.
func (s *server) blame(m message) {
	s.jobs.Lock()
	defer s.jobs.Unlock()
	if len(s.waiting) == 1 {
		s.write(answer{ID: m.ID, Done: true, Error: failure(m.Path, 0, "the render takes more memory than the %d MiB that it may have", hardMemory>>20)})
	}
}

func (s *server) deliver(m message) {
	s.jobs.Lock()
	replies := s.waiting[m.ID]
	s.jobs.Unlock()
	if replies == nil {
		return
	}
	select {
	case replies <- m:
	default:
	}
}

func (s *server) run(m message, replies chan message) (result answer) {
	j := newJob(s, m, replies)
	defer func() {
		if reason := recover(); reason != nil {
			problem := failure(m.Path, 0, "the renderer failed inside: %v", firstLine(fmt.Sprint(reason)))
			result = answer{Error: j.quietError(problem)}
			debug.FreeOSMemory()
		}
	}()
	objects, warnings, err := s.perform(j)
	if j.closed != nil {
		err = j.closed
	}
	if err == nil && m.Op == "render" {
		err = refuseEncrypted(objects)
	}
	if err != nil {
		return answer{Error: j.quietError(err)}
	}
	return answer{Objects: objects, Warnings: j.quietWarnings(warnings)}
}

func (s *server) perform(j *job) ([]string, []string, error) {
	entries, err := j.openAll(j.Entries)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case j.Op == "decode":
		return decodeOnly(entries)
	case j.Op == "render" && j.Renderer == "directory":
		return renderDirectory(entries)
	case j.Op == "render" && j.Renderer == "kustomize":
		files := newCommitFiles(j.lookup)
		if err := files.add(entries); err != nil {
			return nil, nil, err
		}
		kustomization := kustomizeJob{folder: j.Path, options: j.Kustomize, remoteBases: j.RemoteBases}
		return renderKustomization(files, kustomization, func(waiting bool) { j.tell(answer{Waiting: &waiting}) })
	case j.Op == "render" && j.Renderer == "helm" && j.Helm != nil:
		valueFiles, err := j.openAll(j.ValueFiles)
		if err != nil {
			return nil, nil, err
		}
		return renderChart(chartJob{path: j.Path, archive: j.Archive, entries: entries, valueFiles: valueFiles, options: *j.Helm})
	}
	return nil, nil, failure("", 0, "unknown request %q %q", j.Op, j.Renderer)
}

func (s *server) write(a answer) {
	s.writing.Lock()
	defer s.writing.Unlock()
	encoder := json.NewEncoder(s.out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(a)
	_ = s.out.Flush()
}

func asRenderError(err error) *renderError {
	if known, ok := err.(*renderError); ok {
		return known
	}
	return failure("", 0, "%s", err.Error())
}
