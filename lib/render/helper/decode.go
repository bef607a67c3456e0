package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"go.yaml.in/yaml/v2"
)

// document is one document of a file: its JSON value (integers as int64) and the line on which it begins.
type document struct {
	value any
	file  string
	line  int
}

// decodeDocuments reads a file as kubectl does (apimachinery's NewYAMLOrJSONDecoder over sigs.k8s.io/yaml), and refuses
// what that would read wrongly without a word: duplicate keys, content after the end of a document, unknown tags.
func decodeDocuments(file string, text []byte) ([]document, []string, error) {
	var documents []document
	rest := chunk{file: file, text: text, line: 1}
	if looksLikeJSON(text) {
		var err error
		if documents, rest, err = decodeJSONStream(rest); err != nil {
			return nil, nil, err
		}
	}
	if err := rest.checkCharacters(); err != nil {
		return nil, nil, err
	}
	chunks, err := rest.split()
	if err != nil {
		return nil, nil, err
	}
	var warnings []string
	for _, c := range decodeAll(chunks) {
		if c.err != nil {
			return nil, nil, c.err
		}
		warnings = append(warnings, c.warnings...)
		if c.value != nil {
			documents = append(documents, document{value: c.value, file: file, line: c.firstContent()})
		}
	}
	return documents, warnings, nil
}

// decoded is what became of a chunk.
type decoded struct {
	chunk
	value    any
	warnings []string
	err      error
}

// read decodes; what panics fails this file only.
func (d *decoded) read() {
	defer func() {
		if reason := recover(); reason != nil {
			d.err = failure(d.file, d.line, "the reader failed inside: %v", firstLine(fmt.Sprint(reason)))
		}
	}()
	d.value, d.warnings, d.err = d.decode()
}

const worthSharing = 64 << 10

// decodeAll decodes chunks in order, those of a large file on all processors.
func decodeAll(chunks []chunk) []decoded {
	all := make([]decoded, len(chunks))
	size := 0
	for index, c := range chunks {
		all[index].chunk = c
		size += len(c.text)
	}
	workers := min(runtime.GOMAXPROCS(0), len(chunks))
	if size < worthSharing {
		workers = 1
	}
	var next atomic.Int64
	var working sync.WaitGroup
	for ; workers > 0; workers-- {
		working.Go(func() {
			for index := int(next.Add(1)) - 1; index < len(all); index = int(next.Add(1)) - 1 {
				all[index].read()
			}
		})
	}
	working.Wait()
	return all
}

func (c chunk) lineAt(offset int) int { return c.line + bytes.Count(c.text[:offset], []byte("\n")) }

// chunk is the text of one YAML document and the line on which that text starts.
type chunk struct {
	file string
	text []byte
	line int
}

// splitDocuments cuts at lines that start with `---`, as apimachinery's YAMLReader does: one with nothing before it stays.
func splitDocuments(file string, text []byte) ([]chunk, error) {
	return chunk{file: file, text: text, line: 1}.split()
}

func (c chunk) split() ([]chunk, error) {
	// Line ends become one: of what follows, only that would be changed.
	text := bytes.ReplaceAll(c.text, []byte("\r\n"), []byte("\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(bytes.Clone(text), '\n')
	}
	var chunks []chunk
	line, start := c.line, 0
	for at := 0; at < len(text); {
		if bytes.HasPrefix(text[at:], separator) {
			number := line + bytes.Count(text[start:at], newline)
			end := at + bytes.IndexByte(text[at:], '\n')
			rest := text[at+len(separator) : end]
			if trimmed := bytes.TrimSpace(rest); len(trimmed) > 0 && (trimmed[0] != '#' || rest[0] == '#') {
				return nil, failure(c.file, number, "content after the separator `---`: put it on the next line")
			}
			if at > start {
				chunks = append(chunks, chunk{file: c.file, text: text[start:at], line: line})
				line, start = number+1, end+1
			}
		}
		next := bytes.Index(text[at:], []byte("\n---"))
		if next < 0 {
			break
		}
		at += next + 1
	}
	return append(chunks, chunk{file: c.file, text: text[start:], line: line}), nil
}

var (
	newline   = []byte("\n")
	separator = []byte("---")
)

func (c chunk) decode() (any, []string, error) {
	if at := misplacedByteOrderMark(c.text); at >= 0 {
		return nil, nil, failure(c.file, c.lineAt(at), "a byte order mark within the file: remove it")
	}
	if len(c.text) >= plainFrom {
		if value, ok := readPlain(c.text); ok {
			return value, nil, nil
		}
	}
	raw, err := readOne(c.text, true)
	duplicate := err != nil && strings.Contains(err.Error(), "already set in map")
	if err != nil && !duplicate {
		return nil, nil, c.syntaxError(err)
	}
	if duplicate {
		// A key that overrides what `<<` merged before it is no duplicate; the syntax tree tells the two apart.
		if !bytes.Contains(c.text, []byte("<<")) {
			return nil, nil, c.syntaxError(err)
		}
		if raw, err = readOne(c.text, false); err != nil {
			return nil, nil, c.syntaxError(err)
		}
	}
	conversion := newConversion()
	value, err := conversion.convert(raw, 0)
	if err != nil {
		return nil, nil, failure(c.file, c.firstContent(), "%s", err.Error())
	}
	if duplicate || conversion.oddKeys || bytes.IndexByte(c.text, '!') >= 0 || holdsBooleanWord(c.text) {
		warnings, err := c.checkSyntax()
		return value, warnings, err
	}
	return value, nil, nil
}

// misplacedByteOrderMark is where one starts a line: the YAML reader drops only one at the start of its text, and takes others for letters.
func misplacedByteOrderMark(text []byte) int {
	const mark = "\ufeff"
	if bytes.HasPrefix(text, []byte(mark+mark)) {
		return len(mark)
	}
	if at := bytes.Index(text, []byte("\n"+mark)); at >= 0 {
		return at + 1
	}
	return -1
}

// readOne decodes the one document of a text; a second one would be dropped by Kubernetes, so it is an error here.
func readOne(text []byte, strict bool) (any, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.SetStrict(strict)
	var value, second any
	if err := decoder.Decode(&value); err == io.EOF {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(&second); err != io.EOF {
		return nil, errTrailing
	}
	return value, nil
}

var errTrailing = failure("", 0, "content after the end of the document: separate documents with `---`")

var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntaxError gives an error of the YAML reader the file's own line number.
func (c chunk) syntaxError(err error) *renderError {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  ")
	text = firstLine(text)
	line := c.firstContent()
	if found := yamlLine.FindStringSubmatch(text); found != nil {
		inner, _ := strconv.Atoi(found[1])
		line = c.line + inner - 1
		text = strings.Replace(text, found[0], "", 1)
	}
	switch {
	case strings.HasSuffix(text, "already set in map"):
		text = strings.TrimSuffix(text, "already set in map") + "is there twice: remove one of the two"
	case strings.HasPrefix(text, "invalid map key"):
		text = "a key that is a list or a map: quote it"
	case strings.Contains(text, "excessive aliasing"):
		text = "too many aliases: the document would grow beyond all bounds"
	case strings.Contains(text, "cannot start any token") && bytes.Contains(c.text, []byte("\t")):
		text += " (a tab? indent with spaces)"
	}
	return failure(c.file, line, "%s", text)
}

// firstContent is the line of the first thing that is neither blank nor comment.
func (c chunk) firstContent() int {
	for number, line := range strings.Split(string(c.text), "\n") {
		if trimmed := strings.TrimSpace(line); trimmed != "" && trimmed[0] != '#' && !strings.HasPrefix(line, "---") {
			return c.line + number
		}
	}
	return c.line
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
