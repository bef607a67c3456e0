package main

import (
	"strconv"
	"strings"
)

func (r *plainReader) scalar(text string, column int) any {
	switch first := text[0]; {
	case first == '"' || first == '\'':
		inner := text[1:]
		if at := strings.IndexByte(inner, first); at < 0 || at != len(inner)-1 || strings.IndexByte(inner, '\\') >= 0 {
			r.giveUp()
		}
		r.advance()
		return inner[:len(inner)-1]
	case text == "{}":
		r.advance()
		return map[string]any{}
	case text == "[]":
		r.advance()
		return []any{}
	case first == '|':
		return r.literal(text, column)
	case isLetter(first) || first == '/' || first == '(' || first == '$' || first >= 0x80:
		return r.plain(text, column)
	case first >= '0' && first <= '9' || first == '-' || first == '+' || first == '.':
		return r.number(text, column)
	}
	r.giveUp()
	return nil
}

// wordValues are the plain words that are no texts, and whose meaning surprises nobody.
var wordValues = map[string]any{
	"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false, "null": nil, "Null": nil, "NULL": nil,
}

// plain reads a text without quotes, folded from the lines that follow when they stand deeper.
func (r *plainReader) plain(text string, column int) any {
	r.mustBePlain(text)
	folded := r.fold(text, column)
	if value, isWord := wordValues[folded]; isWord {
		return value
	}
	if booleanWords[folded] != "" {
		r.giveUp()
	}
	return folded
}

func (r *plainReader) mustBePlain(text string) {
	if strings.Contains(text, ": ") || strings.Contains(text, " #") || text[len(text)-1] == ':' {
		r.giveUp()
	}
}

func (r *plainReader) fold(text string, column int) string {
	var folded strings.Builder
	for blank := 0; r.next != ""; {
		line, rest, _ := strings.Cut(r.next, "\n")
		content, at := trimmed(line)
		if content == "" {
			blank++
			r.next = rest
			continue
		}
		if at <= column || content[0] == '#' {
			break
		}
		if strings.IndexByte("-?:,[]{}&*!|>'\"%@`", content[0]) >= 0 {
			r.giveUp()
		}
		r.mustBePlain(content)
		if folded.Len() == 0 {
			folded.WriteString(text)
		}
		folded.WriteString(" "[min(blank, 1):])
		for ; blank > 0; blank-- {
			folded.WriteByte('\n')
		}
		folded.WriteString(content)
		r.next = rest
	}
	r.advance()
	if folded.Len() == 0 {
		return text
	}
	return folded.String()
}

// number reads what begins as one; all but the simplest as the reader of Kubernetes does.
func (r *plainReader) number(text string, column int) any {
	r.mustBePlain(text)
	if isItem(text) || strings.HasPrefix(text, "---") || strings.HasPrefix(text, "...") || r.fold(text, column) != text {
		r.giveUp()
	}
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(whole, 10) == text {
		return whole
	}
	value, err := readOne([]byte(text), true)
	if err != nil {
		r.giveUp()
	}
	if value, err = scalar(value); err != nil {
		r.giveUp()
	}
	return value
}

// literal reads a block of lines as they stand.
func (r *plainReader) literal(header string, column int) any {
	end := "\n"
	if header == "|-" {
		end = ""
	} else if header != "|" {
		r.giveUp()
	}
	var text strings.Builder
	indent, blank := 0, 0
	for r.next != "" {
		line, rest, _ := strings.Cut(r.next, "\n")
		content, at := trimmed(line)
		if indent == 0 {
			if content == "" || at <= column {
				r.giveUp()
			}
			indent = at
		}
		if content == "" {
			if len(line) > indent {
				r.giveUp()
			}
			blank++
		} else {
			if at < indent {
				break
			}
			if text.Len() > 0 {
				blank++
			}
			for ; blank > 0; blank-- {
				text.WriteByte('\n')
			}
			text.WriteString(line[indent:])
		}
		r.next = rest
	}
	if indent == 0 {
		r.giveUp()
	}
	r.advance()
	return text.String() + end
}
