package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// canonical is a value as JSON text with sorted keys, as encoding/json writes it without HTML escapes.
func canonical(value any) (string, error) {
	text, err := appendJSON(nil, value)
	return string(text), err
}

func appendJSON(text []byte, value any) ([]byte, error) {
	switch typed := value.(type) {
	case nil:
		return append(text, "null"...), nil
	case bool:
		return strconv.AppendBool(text, typed), nil
	case int64:
		return strconv.AppendInt(text, typed, 10), nil
	case string:
		if isPlainASCII(typed) {
			return append(append(append(text, '"'), typed...), '"'), nil
		}
	case []any:
		return appendList(text, typed)
	case map[string]any:
		return appendMap(text, typed)
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return append(text, bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))...), nil
}

func appendList(text []byte, list []any) ([]byte, error) {
	if list == nil {
		return append(text, "null"...), nil
	}
	text = append(text, '[')
	for index, inner := range list {
		if index > 0 {
			text = append(text, ',')
		}
		var err error
		if text, err = appendJSON(text, inner); err != nil {
			return nil, err
		}
	}
	return append(text, ']'), nil
}

func appendMap(text []byte, values map[string]any) ([]byte, error) {
	if values == nil {
		return append(text, "null"...), nil
	}
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	text = append(text, '{')
	for index, key := range keys {
		if index > 0 {
			text = append(text, ',')
		}
		var err error
		if text, err = appendJSON(text, key); err != nil {
			return nil, err
		}
		if text, err = appendJSON(append(text, ':'), values[key]); err != nil {
			return nil, err
		}
	}
	return append(text, '}'), nil
}

func isPlainASCII(text string) bool {
	for at := 0; at < len(text); at++ {
		if b := text[at]; b < 0x20 || b >= 0x7F || b == '"' || b == '\\' {
			return false
		}
	}
	return true
}
