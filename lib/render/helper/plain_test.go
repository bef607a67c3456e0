package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestPlainYAMLIsReadAsTheReaderOfKubernetesDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	read := 0
	for number := 0; number < generatedDocuments && !t.Failed(); number++ {
		w := &writer{random: random}
		text := w.plainDocument()
		if number%2 == 1 {
			for changes := 1 + random.IntN(2); changes > 0; changes-- {
				text = w.disturb(text)
			}
		}
		read += comparePlain(t, text)
		read += comparePlain(t, generate(random, number))
	}
	if read < generatedDocuments/2 {
		t.Errorf("only %d of %d documents were plain", read, 2*generatedDocuments)
	}
}

// comparePlain counts the documents of a file that were read as plain YAML: each has the value, and no more to say, than the other reader gives.
func comparePlain(t *testing.T, text string) (read int) {
	whole := chunk{file: "x.yaml", text: []byte(text), line: 1}
	if whole.checkCharacters() != nil {
		return 0
	}
	chunks, err := whole.split()
	if err != nil {
		return 0
	}
	for _, c := range chunks {
		value, ok := readPlain(c.text)
		if !ok {
			continue
		}
		read++
		want, warnings, err := c.decode()
		if err != nil || len(warnings) > 0 {
			t.Errorf("%q: read as plain, refused or warned of otherwise: %v %q", c.text, err, warnings)
			continue
		}
		got, _ := canonical(value)
		if expected, _ := canonical(want); got != expected {
			t.Errorf("%q:\n got %s\nwant %s", c.text, got, expected)
		}
	}
	return read
}

func FuzzPlainYAML(f *testing.F) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		f.Add((&writer{random: random}).plainDocument())
	}
	f.Fuzz(func(t *testing.T, text string) { comparePlain(t, text) })
}

var plainValues = []string{
	"text", "a b c", "true", "False", "null", "1", "-1", "0", "0644", "1.5", "-0.0", "1e3", "9007199254740993", "9223372036854775808", "2001-12-14", "1:30",
	"100m", "\"quoted text\"", "'single'", "\"\"", "''", "{}", "[]", "/a/b", "(x)", "$y", "é 日本", "a#b", "http://x/y:80", "Yes we can", "-x",
	"+1", ".5", ".", "..", "--", "1 2", "0x1F", "1_000", "nullable", "Trueish", "a, b", "a [b] {c}", "a 'b' \"c\"",
}

var doubtfulValues = []string{"no", "y", "Off", "---", "...", "~", "x: y", "x:", "x #y", "<<", "=", "*a", "!a b", "'", "\"a\\n\"", "'it''s'", "[a]", "{a: 1}", "- a", "%", "@"}

var foldedLines = []string{"more text", "and so on", "1 thing", "(x)", "é", "", "", "true"}

var doubtfulLines = []string{"'quoted'", "- item", "a: b", "ends:", "# comment", "x #y", "...", "? x", "]", "<<: *a"}

// plainDocument writes the YAML that programs write, with a little of what they don't.
func (w *writer) plainDocument() string {
	w.text.Reset()
	w.text.WriteString(w.pick("", "---\n", "# c\n", "---\n# c\n"))
	w.plainMap("", 0)
	return w.text.String()
}

func (w *writer) plainMap(indent string, depth int) {
	for count, index := 1+w.random.IntN(4), 0; index < count; index++ {
		w.text.WriteString(indent)
		w.plainEntry(indent, index, depth)
	}
}

func (w *writer) plainEntry(indent string, index, depth int) {
	key := w.pick("name", "a.b/c", "x-y", "_z", "$ref", "f1") + fmt.Sprint(index)
	if w.random.IntN(40) == 0 {
		key = w.pick("no", "true", "null", "name0", "1", "\"q\"", "é", "<<")
	}
	w.text.WriteString(key + ":")
	w.plainValue(indent, depth)
}

func (w *writer) plainValue(indent string, depth int) {
	switch choice := w.random.IntN(10); {
	case choice < 2 && depth < 4:
		w.text.WriteString(w.pick("\n", "\n", " \n", "\n\n", "\n  # c\n"))
		w.plainMap(indent+w.pick("  ", "  ", " ", "    "), depth+1)
	case choice < 4 && depth < 4:
		w.text.WriteString("\n")
		inner := indent + w.pick("", "", "  ")
		for count := 1 + w.random.IntN(3); count > 0; count-- {
			w.plainItem(inner, depth)
		}
	case choice == 4:
		inner := indent + w.seldom([]string{" ", ""}, []string{"  ", "    "})
		w.text.WriteString(" " + w.seldom([]string{">", "|+", "|2"}, []string{"|", "|-"}) + "\n" + inner + "text\n")
		for count := w.random.IntN(4); count > 0; count-- {
			line := w.pick("text", "  more", "- x", "a: b", "# c", "é  ", "", "", "...")
			w.text.WriteString(strings.TrimRight(inner+line, w.pick(" ", "")) + "\n")
		}
	case choice == 5:
		w.text.WriteString(" " + w.pick(plainValues[:1]...) + "\n")
		for count := 1 + w.random.IntN(2); count > 0; count-- {
			w.text.WriteString(indent + w.pick("  ", "  ", "  ", " ", "    ") + w.seldom(doubtfulLines, foldedLines) + "\n")
		}
	case choice == 6:
		w.text.WriteString(w.pick("\n", " \n", "\n\n"))
	default:
		w.text.WriteString(w.pick(" ", " ", "   ") + w.seldom(doubtfulValues, plainValues) + w.pick("\n", "\n", "  \n", "\n\n", "\n# c\n"))
	}
}

// seldom picks one in thirty times from the first.
func (w *writer) seldom(doubtful, usual []string) string {
	if w.random.IntN(30) == 0 {
		return w.pick(doubtful...)
	}
	return w.pick(usual...)
}

func (w *writer) plainItem(indent string, depth int) {
	w.text.WriteString(indent + "-")
	switch w.random.IntN(4) {
	case 0:
		w.text.WriteString(" ")
		w.plainEntry(indent+"  ", 0, depth+1)
		if w.random.IntN(2) == 0 {
			w.text.WriteString(indent + "  ")
			w.plainEntry(indent+"  ", 1, depth+1)
		}
	case 1:
		if depth < 4 {
			w.text.WriteString(" ")
			w.plainItem("", depth+1) // its own lines stand where they may
			return
		}
		w.text.WriteString("\n")
	default:
		w.plainValue(indent, depth+1)
	}
}
