package main

import "strings"

// A document from this size on is first tried as plain YAML.
const plainFrom = 32 << 10

// readPlain reads the YAML that programs write large manifests in, ten times as fast as the reader of Kubernetes and to the same
// values: maps and lists in block form, scalars on one line, folded plain text, literal blocks. It gives up at anything else
// and at anything doubtful, so that whatever is to be refused or warned of is found by that reader.
func readPlain(text []byte) (value any, ok bool) {
	r := &plainReader{text: string(text)}
	if strings.Contains(r.text, "\t") || strings.Contains(r.text, "\ufeff") {
		return nil, false
	}
	defer func() {
		if reason := recover(); reason != nil {
			if reason != errNotPlain {
				panic(reason)
			}
			value, ok = nil, false
		}
	}()
	r.next = r.text
	if strings.HasPrefix(r.text, "---") {
		r.line, r.next, _ = strings.Cut(r.text, "\n")
		if strings.TrimRight(r.line, " ") != "---" {
			r.giveUp()
		}
	}
	r.advance()
	if r.ended || r.column != 0 {
		r.giveUp()
	}
	value = r.block(0, 0)
	if !r.ended {
		r.giveUp()
	}
	return value, true
}

const errNotPlain = plainError("not plain")

type plainError string

// plainReader stands on one line: its text from the first character on, and the column of that.
type plainReader struct {
	text   string
	next   string // the lines after this one
	line   string
	column int
	ended  bool
	nodes  int
}

func (r *plainReader) giveUp() { panic(errNotPlain) }

// advance goes to the next line that is neither blank nor a comment.
func (r *plainReader) advance() {
	for r.next != "" {
		var line string
		line, r.next, _ = strings.Cut(r.next, "\n")
		r.line, r.column = trimmed(line)
		if r.line != "" && r.line[0] != '#' {
			return
		}
	}
	r.line, r.column, r.ended = "", -1, true
}

func trimmed(line string) (content string, column int) {
	content = strings.TrimLeft(line, " ")
	return strings.TrimRight(content, " "), len(line) - len(content)
}

// block reads the map or list that starts on this line.
func (r *plainReader) block(column, depth int) any {
	r.count(depth)
	if isItem(r.line) {
		return r.list(column, depth)
	}
	values := map[string]any{}
	for r.column == column && !isItem(r.line) {
		key, rest := r.key()
		if _, twice := values[key]; twice {
			r.giveUp()
		}
		values[key] = r.value(rest, column, column, depth+1)
	}
	if r.column > column {
		r.giveUp()
	}
	return values
}

func (r *plainReader) list(column, depth int) any {
	values := []any{}
	for r.column == column && isItem(r.line) {
		rest := strings.TrimLeft(r.line[1:], " ")
		if isItem(rest) || keyEnd(rest) > 0 {
			// A block that starts on the line of its dash.
			r.column += len(r.line) - len(rest)
			r.line = rest
			values = append(values, r.block(r.column, depth+1))
			continue
		}
		values = append(values, r.value(rest, column, noColumn, depth+1))
	}
	return values
}

func isItem(line string) bool { return line == "-" || strings.HasPrefix(line, "- ") }

func (r *plainReader) count(depth int) {
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		r.giveUp()
	}
}

func (r *plainReader) key() (key, rest string) {
	end := keyEnd(r.line)
	if end <= 0 {
		r.giveUp()
	}
	key = r.line[:end]
	if _, special := wordValues[key]; special || booleanWords[key] != "" {
		r.giveUp()
	}
	return key, strings.TrimLeft(r.line[end+1:], " ")
}

const longestKey = 256

// keyEnd is where the colon of a plain key stands; 0 when the line does not begin with one.
func keyEnd(line string) int {
	if line == "" || !isLetter(line[0]) && line[0] != '$' {
		return 0
	}
	for at := 1; at < len(line) && at <= longestKey; at++ {
		switch b := line[at]; {
		case isLetter(b), b >= '0' && b <= '9', b == '-', b == '.', b == '/', b == '$':
		case b == ':' && (at+1 == len(line) || line[at+1] == ' '):
			return at
		default:
			return 0
		}
	}
	return 0
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' || b == '_' }

const noColumn = -1

// value reads what stands behind a key or a dash, and goes to the line after it. The list of a key may stand at the key's column.
func (r *plainReader) value(rest string, column, listColumn, depth int) any {
	if rest != "" {
		r.count(depth)
		return r.scalar(rest, column)
	}
	r.advance()
	if r.column > column || r.column == listColumn && isItem(r.line) {
		return r.block(r.column, depth)
	}
	r.count(depth)
	return nil
}
