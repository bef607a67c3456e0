package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v2"
	kjson "sigs.k8s.io/json"
)

const (
	maxNodes = 500_000
	maxDepth = 128
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

// conversion turns what the YAML reader gives into JSON values, within bounds of depth and size.
type conversion struct {
	nodes   int
	oddKeys bool
}

func newConversion() *conversion { return &conversion{} }

func (c *conversion) convert(value any, depth int) (any, error) {
	if c.nodes++; c.nodes > maxNodes {
		return nil, failure("", 0, "the document has more than %d values", maxNodes)
	}
	if depth > maxDepth {
		return nil, failure("", 0, "the document is nested more than %d levels deep", maxDepth)
	}
	switch typed := value.(type) {
	case map[any]any:
		converted := make(map[string]any, len(typed))
		for key, inner := range typed {
			name, err := c.key(key)
			if err != nil {
				return nil, err
			}
			if _, twice := converted[name]; twice {
				return nil, failure("", 0, "key %q is there twice, once quoted: remove one of the two", name)
			}
			if converted[name], err = c.convert(inner, depth+1); err != nil {
				return nil, err
			}
		}
		return converted, nil
	case map[string]any:
		for key, inner := range typed {
			changed, err := c.convert(inner, depth+1)
			if err != nil {
				return nil, err
			}
			typed[key] = changed
		}
		return typed, nil
	case []any:
		for index, inner := range typed {
			changed, err := c.convert(inner, depth+1)
			if err != nil {
				return nil, err
			}
			typed[index] = changed
		}
		return typed, nil
	}
	return scalar(value)
}

func (c *conversion) key(key any) (string, error) {
	if text, ok := key.(string); ok {
		return validText(text), nil
	}
	c.oddKeys = true
	return keyText(key)
}

// keyText writes a key that is no text as sigs.k8s.io/yaml does.
func keyText(key any) (string, error) {
	switch typed := key.(type) {
	case string:
		return typed, nil
	case int:
		return strconv.Itoa(typed), nil
	case int64:
		return strconv.FormatInt(typed, 10), nil
	case bool:
		return strconv.FormatBool(typed), nil
	case float64:
		return "", failure("", 0, "a decimal number (%v) as key: quote it", typed)
	}
	return "", failure("", 0, "a key that is neither text, a whole number nor a boolean: quote it")
}

func scalar(value any) (any, error) {
	switch typed := value.(type) {
	case int:
		return int64(typed), nil
	case uint64:
		return float64(typed), nil // Kubernetes has int64; what is larger becomes a double there too
	case float64:
		if math.IsInf(typed, 0) || math.IsNaN(typed) {
			return nil, failure("", 0, "infinity and NaN are no JSON values")
		}
		return typed, nil
	case string:
		return validText(typed), nil
	case nil, bool, int64:
		return typed, nil
	}
	return nil, failure("", 0, "a value of a kind that JSON does not have (%T)", value)
}

// validText puts U+FFFD for every byte that is not UTF-8 (from a !!binary), as Kubernetes' JSON step does.
func validText(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}

// checkCharacters refuses what YAML forbids or reads as a line break, with the line.
func checkCharacters(file string, text []byte) error {
	if bytes.HasPrefix(text, []byte{0xFE, 0xFF}) || bytes.HasPrefix(text, []byte{0xFF, 0xFE}) {
		return failure(file, 1, "the file is UTF-16: save it as UTF-8")
	}
	line := 1
	for at := 0; at < len(text); {
		c := text[at]
		switch {
		case c == '\n':
			line++
		case c >= 0x20 && c < 0x7F, c == '\t':
		case c == '\r':
			if at+1 == len(text) || text[at+1] != '\n' {
				return failure(file, line, "a lone carriage return: end lines with a line feed")
			}
		case c < 0x20 || c == 0x7F:
			return failure(file, line, "control character U+%04X: remove or escape it", c)
		default:
			r, size := utf8.DecodeRune(text[at:])
			if r == utf8.RuneError && size == 1 {
				return failure(file, line, "the file is not valid UTF-8")
			}
			if r < 0xA0 || r == 0x2028 || r == 0x2029 || r == 0xFFFE || r == 0xFFFF {
				return failure(file, line, "character U+%04X: escape it in a quoted text", r)
			}
			at += size
			continue
		}
		at++
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
