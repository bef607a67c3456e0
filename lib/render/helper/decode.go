package main

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v2"
	kjson "sigs.k8s.io/json"
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
	if looksLikeJSON(text) {
		documents, isJSON, err := decodeJSONStream(file, text)
		if isJSON || err != nil {
			return documents, nil, err
		}
	}
	if err := checkCharacters(file, text); err != nil {
		return nil, nil, err
	}
	var documents []document
	var warnings []string
	chunks, err := splitDocuments(file, text)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range chunks {
		value, found, err := c.decode()
		if err != nil {
			return nil, nil, err
		}
		warnings = append(warnings, found...)
		if value != nil {
			documents = append(documents, document{value: value, file: file, line: c.firstContent()})
		}
	}
	return documents, warnings, nil
}

func looksLikeJSON(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeftFunc(text, unicode.IsSpace), []byte("{"))
}

// decodeJSONStream reads objects one after the other; a stream that is not JSON to its end is left to the YAML reader.
func decodeJSONStream(file string, text []byte) (documents []document, isJSON bool, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err == io.EOF {
			return documents, true, nil
		} else if err != nil {
			return nil, false, nil
		}
		line := 1 + bytes.Count(text[:int(decoder.InputOffset())-len(raw)], []byte("\n"))
		var value any
		strict, err := kjson.UnmarshalStrict(raw, &value)
		if err != nil {
			return nil, true, failure(file, line, "%s", err.Error())
		}
		if len(strict) > 0 {
			return nil, true, failure(file, line, "%s: remove one of the two", strict[0].Error())
		}
		if value, err = newConversion().convert(value, 0); err != nil {
			return nil, true, failure(file, line, "%s", err.Error())
		}
		documents = append(documents, document{value: value, file: file, line: line})
	}
}

// chunk is the text of one YAML document and the line on which that text starts.
type chunk struct {
	file string
	text []byte
	line int
}

// splitDocuments cuts at lines that start with `---`, as apimachinery's YAMLReader does.
func splitDocuments(file string, text []byte) ([]chunk, error) {
	var chunks []chunk
	current := chunk{file: file, line: 1}
	lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	for number, line := range lines {
		if rest, separates := strings.CutPrefix(line, "---"); separates {
			if trimmed := strings.TrimSpace(rest); trimmed != "" && (trimmed[0] != '#' || rest[0] == '#') {
				return nil, failure(file, number+1, "content after the separator `---`: put it on the next line")
			}
			chunks = append(chunks, current)
			current = chunk{file: file, line: number + 2}
			continue
		}
		current.text = append(append(current.text, line...), '\n')
	}
	return append(chunks, current), nil
}

func (c chunk) decode() (any, []string, error) {
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
		if trimmed := strings.TrimSpace(line); trimmed != "" && trimmed[0] != '#' {
			return c.line + number
		}
	}
	return c.line
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
