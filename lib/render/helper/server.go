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

// message is one line from the other side: `render` and `decode` start a job, `found` answers a lookup, `abort` ends a job.
type message struct {
	ID       int64        `json:"id"`
	Op       string       `json:"op"`
	Renderer string       `json:"renderer"`
	Path     string       `json:"path"`
	Entries  []foundEntry `json:"entries"`
}

// foundEntry tells what the commit has at a path; a file's content is text, or base64 where it is not UTF-8.
type foundEntry struct {
	Path   string `json:"path"`
	Type   string `json:"type"`
	Text   string `json:"text"`
	Base64 string `json:"base64"`
}

func (f foundEntry) content() ([]byte, error) {
	if f.Base64 != "" {
		return base64.StdEncoding.DecodeString(f.Base64)
	}
	return []byte(f.Text), nil
}

type answer struct {
	ID       int64        `json:"id"`
	Lookup   []string     `json:"lookup,omitempty"`
	Waiting  *bool        `json:"waiting,omitempty"`
	Objects  []string     `json:"objects,omitempty"`
	Warnings []string     `json:"warnings,omitempty"`
	Error    *renderError `json:"error,omitempty"`
	Done     bool         `json:"done,omitempty"`
}

// renderError says what is wrong and where; Line is 0 where it is not known.
type renderError struct {
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
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
		if err := json.Unmarshal(line, &m); err != nil {
			s.write(answer{Error: failure("", 0, "the request is not JSON: %v", err), Done: true})
			continue
		}
		switch m.Op {
		case "found", "abort":
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
		defer watchMemory()()
		result := s.run(m, replies)
		s.jobs.Lock()
		delete(s.waiting, m.ID)
		s.jobs.Unlock()
		result.ID, result.Done = m.ID, true
		s.write(result)
	}()
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
	defer func() {
		if reason := recover(); reason != nil {
			result = answer{Error: failure(m.Path, 0, "the renderer failed inside: %v", firstLine(fmt.Sprint(reason)))}
			debug.FreeOSMemory()
		}
	}()
	objects, warnings, err := s.perform(m, replies)
	if err != nil {
		return answer{Error: asRenderError(err)}
	}
	return answer{Objects: objects, Warnings: warnings}
}

func (s *server) perform(m message, replies chan message) ([]string, []string, error) {
	switch {
	case m.Op == "decode":
		return decodeOnly(m.Entries)
	case m.Op == "render" && m.Renderer == "directory":
		return renderDirectory(m.Entries)
	case m.Op == "render" && m.Renderer == "kustomize":
		files := newCommitFiles(func(paths []string) ([]foundEntry, error) {
			s.write(answer{ID: m.ID, Lookup: paths})
			reply := <-replies
			if reply.Op == "abort" {
				return nil, failure("", 0, "the render was given up")
			}
			return reply.Entries, nil
		})
		if err := files.add(m.Entries); err != nil {
			return nil, nil, err
		}
		return renderKustomization(files, m.Path, func(waiting bool) { s.write(answer{ID: m.ID, Waiting: &waiting}) })
	}
	return nil, nil, failure("", 0, "unknown request %q %q", m.Op, m.Renderer)
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
