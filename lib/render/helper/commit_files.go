package main

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// root is where the repository seems to lie, so that a path that climbs out of the repository is seen to do so.
const root = "/repository"

const (
	isFile      = "file"
	isDirectory = "directory"
	isAbsent    = "none"
	isLink      = "link"
)

// commitFiles is the file system that Kustomize sees: the files of one commit, each asked for when first looked at.
type commitFiles struct {
	lookup  func(paths []string) ([]foundEntry, error)
	entries map[string]commitEntry
	// links leads from symbolic links to what they mean, itself behind no link.
	links map[string]string
	// failed is the first thing that went wrong here: Kustomize hides it in longer errors.
	failed error
}

type commitEntry struct {
	kind    string
	content []byte
}

func newCommitFiles(lookup func(paths []string) ([]foundEntry, error)) *commitFiles {
	entries := map[string]commitEntry{"": {kind: isDirectory}}
	return &commitFiles{lookup: lookup, entries: entries, links: map[string]string{}}
}

func (c *commitFiles) add(found []foundEntry) error {
	for _, entry := range found {
		if entry.Type == isLink {
			c.links[entry.Path] = entry.Target
			delete(c.entries, entry.Path)
			continue
		}
		content, err := entry.content()
		if err != nil {
			return err
		}
		if err := checkBounds(entry.Path, content); err != nil {
			return err
		}
		c.entries[entry.Path] = commitEntry{kind: entry.Type, content: content}
		if entry.Type == isFile {
			for above := path.Dir(entry.Path); above != "."; above = path.Dir(above) {
				c.entries[above] = commitEntry{kind: isDirectory}
			}
		}
	}
	return nil
}

// fetch asks for all of these paths that are not known yet, in one message.
func (c *commitFiles) fetch(paths []string) error {
	if c.failed != nil {
		return c.failed
	}
	var unknown []string
	for _, p := range paths {
		p = c.real(p)
		if _, known := c.entries[p]; !known {
			c.entries[p] = commitEntry{kind: isAbsent}
			unknown = append(unknown, p)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	found, err := c.lookup(unknown)
	if err == nil {
		err = c.add(found)
	}
	c.failed = err
	return err
}

// at gives the entry at a path as Kustomize writes it (absolute, below root).
func (c *commitFiles) at(name string) (string, commitEntry, error) {
	relative, inside := inRepository(name)
	if !inside {
		return "", commitEntry{}, errors.New("'" + name + "' lies outside the repository")
	}
	if err := c.fetch([]string{relative}); err != nil {
		return "", commitEntry{}, err
	}
	return c.real(relative), c.known(relative), nil
}

// known gives what has been answered about a path.
func (c *commitFiles) known(p string) commitEntry { return c.entries[c.real(p)] }

// real gives the path behind all links that have been told; one that it does not know yet may follow.
func (c *commitFiles) real(p string) string {
	for above := p; len(c.links) > 0 && above != "."; above = path.Dir(above) {
		if target, isLink := c.links[above]; isLink {
			return c.real(path.Join(target, p[len(above):]))
		}
	}
	return p
}

func inRepository(name string) (string, bool) {
	clean := path.Clean("/" + name)
	if clean == root {
		return "", true
	}
	relative, inside := strings.CutPrefix(clean, root+"/")
	if !inside {
		return "", false
	}
	return relative, true
}

func (c *commitFiles) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	relative, entry, err := c.at(name)
	if err != nil {
		return "", "", err
	}
	full := path.Join(root, relative)
	switch entry.kind {
	case isDirectory:
		return filesys.ConfirmedDir(full), "", nil
	case isFile:
		return filesys.ConfirmedDir(path.Dir(full)), path.Base(full), nil
	}
	return "", "", &fs.PathError{Op: "open", Path: relative, Err: fs.ErrNotExist}
}

func (c *commitFiles) ReadFile(name string) ([]byte, error) {
	relative, entry, err := c.at(name)
	if err != nil {
		return nil, err
	}
	if entry.kind != isFile {
		return nil, &fs.PathError{Op: "open", Path: relative, Err: fs.ErrNotExist}
	}
	return bytes.Clone(entry.content), nil
}

func (c *commitFiles) IsDir(name string) bool {
	_, entry, err := c.at(name)
	return err == nil && entry.kind == isDirectory
}

func (c *commitFiles) Exists(name string) bool {
	_, entry, err := c.at(name)
	return err == nil && (entry.kind == isDirectory || entry.kind == isFile)
}

// The rest of the interface is not used by a build: reading is by name, and nothing is written.
var errNotOffered = errors.New("a render can only read files by name")

func (c *commitFiles) Create(string) (filesys.File, error)  { return nil, errNotOffered }
func (c *commitFiles) Mkdir(string) error                   { return errNotOffered }
func (c *commitFiles) MkdirAll(string) error                { return errNotOffered }
func (c *commitFiles) RemoveAll(string) error               { return errNotOffered }
func (c *commitFiles) Open(string) (filesys.File, error)    { return nil, errNotOffered }
func (c *commitFiles) ReadDir(string) ([]string, error)     { return nil, errNotOffered }
func (c *commitFiles) Glob(string) ([]string, error)        { return nil, errNotOffered }
func (c *commitFiles) WriteFile(string, []byte) error       { return errNotOffered }
func (c *commitFiles) Walk(string, filepath.WalkFunc) error { return errNotOffered }

const (
	smallFile = 64 << 10
	maxKeys   = 5000
)

// checkBounds refuses a file on which Kustomize's own reader would work for ever: aliases that grow beyond all bounds, or
// a map of very many keys, each of which it compares with all others.
func checkBounds(file string, content []byte) error {
	aliases := bytes.IndexByte(content, '&') >= 0 && bytes.IndexByte(content, '*') >= 0
	if !aliases && len(content) < smallFile {
		return nil
	}
	chunks, err := splitDocuments(file, content)
	if err != nil {
		return nil // not YAML, or Kustomize says so
	}
	for _, c := range chunks {
		value, err := readOne(c.text, false)
		if err != nil && strings.Contains(err.Error(), "excessive aliasing") {
			return c.syntaxError(err)
		}
		if err == nil && largestMap(value) > maxKeys {
			return failure(file, c.firstContent(), "a map of more than %d keys is too large for Kustomize", maxKeys)
		}
	}
	return nil
}

func largestMap(value any) int {
	largest := 0
	switch typed := value.(type) {
	case map[any]any:
		largest = len(typed)
		for _, inner := range typed {
			largest = max(largest, largestMap(inner))
		}
	case []any:
		for _, inner := range typed {
			largest = max(largest, largestMap(inner))
		}
	}
	return largest
}
