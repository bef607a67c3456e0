package main

import (
	"bytes"
	"encoding/json"
	"io"
	"unicode"
	"unicode/utf8"

	kjson "sigs.k8s.io/json"
)

func looksLikeJSON(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeftFunc(text, unicode.IsSpace), []byte("{"))
}

// decodeJSONStream reads objects one after the other, until something is no JSON: that is left to the YAML reader.
func decodeJSONStream(file chunk) (documents []document, rest chunk, err error) {
	if !utf8.Valid(file.text) {
		return nil, rest, file.notUTF8()
	}
	decoder := json.NewDecoder(bytes.NewReader(file.text))
	consumed := 0
	for count := 0; ; count++ {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err == io.EOF {
			return documents, rest, nil
		} else if err != nil && count > 1 {
			return nil, rest, failure(file.file, file.lineAt(consumed), "after %d objects: %s", count, err.Error())
		} else if err != nil {
			rest, err = file.leftToYAML(consumed)
			return documents, rest, err
		}
		consumed = int(decoder.InputOffset())
		line := file.lineAt(consumed - len(raw))
		value, err := decodeJSON(raw)
		if err != nil {
			return nil, rest, failure(file.file, line, "%s", err.Error())
		}
		if value != nil {
			documents = append(documents, document{value: value, file: file.file, line: line})
		}
	}
}

func decodeJSON(raw []byte) (value any, err error) {
	strict, err := kjson.UnmarshalStrict(raw, &value)
	if err != nil {
		return nil, err
	}
	if len(strict) > 0 {
		return nil, failure("", 0, "%s: remove one of the two", strict[0].Error())
	}
	return newConversion().convert(value, 0)
}

// leftToYAML skips blanks up to a line's end, as Kubernetes does before its YAML reader takes over; that one wants four bytes.
func (c chunk) leftToYAML(from int) (chunk, error) {
	for from+4 <= len(c.text) {
		r, size := utf8.DecodeRune(c.text[from:])
		if unicode.IsSpace(r) {
			from += size
		}
		if !unicode.IsSpace(r) || r == '\n' {
			return chunk{file: c.file, text: c.text[from:], line: c.lineAt(from)}, nil
		}
	}
	return chunk{}, failure(c.file, c.lineAt(from), "%q is neither JSON nor a YAML document", c.text[from:])
}
