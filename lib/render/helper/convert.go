package main

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
)

const (
	maxNodes = 500_000
	maxDepth = 128
)

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
		if typed == 0 {
			return int64(0), nil // also for -0.0, which Kubernetes writes as -0 and reads again as an integer
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
func (c chunk) checkCharacters() error {
	text := c.text
	if bytes.HasPrefix(text, []byte{0xFE, 0xFF}) || bytes.HasPrefix(text, []byte{0xFF, 0xFE}) {
		return failure(c.file, c.line, "the file is UTF-16: save it as UTF-8")
	}
	for at := 0; at < len(text); {
		b := text[at]
		switch {
		case b >= 0x20 && b < 0x7F, b == '\n', b == '\t':
		case b == '\r':
			if at+1 == len(text) || text[at+1] != '\n' {
				return failure(c.file, c.lineAt(at), "a lone carriage return: end lines with a line feed")
			}
		case b < 0x20 || b == 0x7F:
			return failure(c.file, c.lineAt(at), "control character U+%04X: remove or escape it", b)
		default:
			r, size := utf8.DecodeRune(text[at:])
			if r == utf8.RuneError && size == 1 {
				return c.notUTF8()
			}
			if r < 0xA0 || r == 0x2028 || r == 0x2029 || r == 0xFFFE || r == 0xFFFF {
				return failure(c.file, c.lineAt(at), "character U+%04X: escape it in a quoted text", r)
			}
			at += size
			continue
		}
		at++
	}
	return nil
}

// notUTF8 is the refusal of a text that is not UTF-8, with the line of the first such byte.
func (c chunk) notUTF8() error {
	at := 0
	for at < len(c.text) {
		r, size := utf8.DecodeRune(c.text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return failure(c.file, c.lineAt(at), "the file is not valid UTF-8")
}
