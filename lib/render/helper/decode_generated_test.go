package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// A fixed seed: the same documents in every run.
const generatedDocuments = 20_000

func TestGeneratedDocumentsAreReadAsKubernetesDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	same, silent := 0, 0
	for number := 0; number < generatedDocuments && silent < 10; number++ {
		text := generate(random, number)
		documents, _, err := decodeDocuments("x.yaml", []byte(text))
		if err != nil {
			continue
		}
		got := make([]string, 0, len(documents))
		for _, d := range documents {
			line, err := canonical(d.value)
			if err != nil {
				t.Fatal(err)
			}
			if number%20 == 0 && line != encoded(d.value) {
				t.Fatalf("%q: encoding/json writes %s, canonical %s", text, encoded(d.value), line)
			}
			got = append(got, line)
		}
		want, err := kubernetesDocuments(text)
		if err != nil {
			silent++
			t.Errorf("%q: read as %q, Kubernetes refuses it: %v", text, got, err)
		} else if strings.Join(got, "\n") != strings.Join(want, "\n") {
			silent++
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		} else {
			same++
		}
	}
	// A generator of nothing but refused texts would find nothing.
	if same < generatedDocuments/2 {
		t.Errorf("only %d of %d documents were accepted", same, generatedDocuments)
	}
}

func encoded(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// generate writes a file: two of three hold documents as people write them, the third is such a text with a few bytes changed.
func generate(random *rand.Rand, number int) string {
	w := &writer{random: random}
	for left := random.IntN(3); left >= 0; left-- {
		w.document()
		if left > 0 {
			w.text.WriteString(w.pick("---\n", "---\n", "--- # next\n", "...\n---\n", "---\n---\n", "---\n\ufeff", "--- \n"))
		}
	}
	text := w.text.String()
	if random.IntN(8) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if number%3 == 2 {
		for changes := 1 + random.IntN(3); changes > 0; changes-- {
			text = w.disturb(text)
		}
	}
	return text
}

type writer struct {
	random  *rand.Rand
	text    strings.Builder
	anchors int
	mapping []string // names of anchors of maps
}

var plainScalars = []string{
	"y", "Y", "n", "N", "yes", "Yes", "YES", "yEs", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "true", "True", "TRUE", "tRUE",
	"false", "False", "FALSE", "~", "null", "Null", "NULL", "nULL", "", ".", "..", "--", "=", "<<", "0", "-0", "+0", "00", "0644",
	"-0777", "0o777", "0O17", "-0o7", "08", "0_7", "0x1F", "0X1f", "-0x10", "+0x10", "0x", "0b101", "0B1", "-0b11", "0b", "0b2", "1_000", "1_", "_1",
	"1__0", "+12", "-12", "12", "1:30", "190:20:30", "190:20:30.15", "-1:30", "9007199254740991", "9007199254740993", "-9007199254740993",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
	"0xFFFFFFFFFFFFFFFF", "0x7FFFFFFFFFFFFFFF", "-0x8000000000000000", "0b1111111111111111111111111111111111111111111111111111111111111111",
	"1777777777777777777777", "01777777777777777777777", "123456789012345678901234567890", "1.0", "1.", ".5", "-.5", "+.5", "5.e3", "1e3", "1E3",
	"1e+3", "1e-7", "1e21", "1e20", "1e18", "1e19", "1e16", "4611686018427387904.0", "1e400", "-1e400", "1e-400", "12e45678", "-0.0", "0.1",
	"1_000.5", "685.230_15e+03", "1.7976931348623157e308", "4.9e-324", "123456789.123456789", "0.30000000000000004", "1.5.2", "1e", "e3", ".e3",
	"inf", "NaN", "Infinity", "0x1p-2", "0x1.8p1", "1p3", "2001-12-14", "2024-13-45", "2024-1-1",
	"2001-12-14T21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "2001-12-15T02:59:43Z", "100m", "1Gi", "2.5Gi", "1E", "1Ei", "0.5", "8080/TCP",
	"nginx:1.27", "a#b", "a b", "a:b", "http://x/y", "-a", "a,b", "é€", "日本", "😀", "\u00a0", "x\u00ady", "\u200b",
	"|", ">", "#", "# a", "a # b", "__proto__", "constructor", "v1.2.3", "1.2.3.4", "::1", "10.0.0.0/8",
}

var quotedScalars = []string{
	`""`, `''`, `"a"`, `'a'`, `"yes"`, `'012'`, `"\u0085\u2028\u2029\ufeff\ufffe\uffff"`, `"\x00\x07\x7f\x9f"`, `"\U0001F600 \u00e9 \x41"`,
	`"\"\\\n\t\e\a\b"`, `"\v\f\r\0\_\N\L\P"`, `"a\
    b"`, `"a
    b"`, `'a

    b'`, `'it''s'`, `"<&>"`, `"  a  "`, `"a\tb"`, "'a\tb'", `"%"`, `'---'`, `"{\"a\": 1}"`, `"\u0000"`, `"é😀"`,
}

var taggedScalars = []string{
	"!!str 12", "!!str", "!!str yes", "!!int \"0777\"", "!!int 0x1F", "!!float 1", "!!float \"1e3\"", "!!bool \"yes\"", "!!bool y",
	"!!null \"\"", "!!binary aGVsbG8=", "!!binary /w==", "!!timestamp 2001-12-14", "! 12", "! on", "! ''",
	"!<tag:yaml.org,2002:int> \"3\"", "!!merge <<", "!!set {a, b}", "!!omap [a: 1]", "!!map {}", "!!seq []",
	"!!int 9223372036854775808", "!!float 9007199254740993", "!!str ~", "!!str 1_0",
}

var blockScalars = []string{
	"|\n@a\n@b\n", "|-\n@a\n\n", "|+\n@a\n\n", ">\n@a\n@b\n\n@ c\n@d\n", ">-\n@a\n\n\n@b\n", ">+\n@a\n\n", "|2\n@  a\n", "|\n@a\n@\tb\n", "|\n@# a\n@- b\n",
	"|\n@a  \n@b\n", "|\n@a\n@   \n@b\n", "|\n\n@a\n", ">\n@a\n@\tb\n@c\n", "| # c\n@a\n", "|\n@é\u200b😀\n", "|\n@---\n", "|1-\n@ a\n",
}

var keys = []string{
	"a", "b", "c", "d", "e", "f", "g", "h", "k", "name", "image", "x", "z", "on", "y", "no", "off", "1", "010", "0x10", "true", "yes", "\"1\"",
	"'y'", "\"on\"", "\"<<\"", "=", "9007199254740993", "-1", "2001-12-14", "__proto__", "constructor", "a b", "a.b/c",
	"é", "😀", "\"\\u0085\"", "\"\\u2028\"", "\".\"", ".", "f:a", "k:{\"a\":1}", "\"\"", "''", "1_0", "!!str 1", "!!int \"3\"", "! 1", "-",
}

// Refused by Kubernetes or here: one in a hundred, so that most documents are accepted.
var refusedScalars = []string{
	"-", "?", ":", ".inf", "-.inf", "+.Inf", ".nan", ".NaN", "- a", "%a", "@a", "`a", "!a", "&",
	"*", "[", "{", "]", "}", "a: b", "a:", `"\ud83d\ude00"`, `"\q"`, "!!int a", "!!bool 1", "!!null a", "!!binary \"%\"", "!!timestamp a", "!foo 012",
	"!Ref x", "!!js/function x", "!!int 1.0", "!!float 1e400", "!!float .inf", "!!python/tuple [1]", ">-\n   a\n  b", "a\u0085b", "a\u2028b", "a\x7fb", "a\rb",
}

var refusedKeys = []string{"1.5", "1.0", "~", "<<", "9223372036854775808", "null", "? q", "1e3", "[a]", "{a: 1}", "? [a]\n", "!a b", "!!binary /w==", ".inf"}

func (w *writer) pick(options ...string) string { return options[w.random.IntN(len(options))] }

func (w *writer) document() {
	switch w.random.IntN(16) {
	case 0:
		w.text.WriteString(w.json(0) + "\n")
	case 1:
		w.text.WriteString(w.pick("# nothing\n", "", "null\n", "~\n", "[]\n", "hello\n", "- a\n- b\n", "{}\n", "\n"))
	default:
		w.mapping = nil
		w.blockMap("", 0)
	}
}

func (w *writer) scalar() string {
	if w.random.IntN(100) == 0 {
		return w.pick(refusedScalars...)
	}
	switch w.random.IntN(8) {
	case 0, 1:
		return w.pick(quotedScalars...)
	case 2:
		return w.pick(taggedScalars...)
	case 3:
		return fmt.Sprint(w.random.Int64() >> w.random.IntN(63))
	case 4:
		return fmt.Sprint(w.random.NormFloat64() * 1e6)
	}
	return w.pick(plainScalars...)
}

func (w *writer) key(index int) string {
	if w.random.IntN(100) == 0 {
		return w.pick(refusedKeys...)
	}
	if w.random.IntN(4) > 0 {
		return fmt.Sprintf("%c%d", 'a'+rune(index%26), index)
	}
	return w.pick(keys...)
}

func (w *writer) blockMap(indent string, depth int) {
	for count, index := 1+w.random.IntN(4), 0; index < count; index++ {
		if len(w.mapping) > 0 && w.random.IntN(8) == 0 {
			alias := "*" + w.pick(w.mapping...)
			w.text.WriteString(indent + w.pick("<<: "+alias, "<<: ["+alias+", {m1: 2}]", "m: "+alias, alias+" : 1") + "\n")
			continue
		}
		w.text.WriteString(indent + w.key(index) + ":")
		w.value(indent, depth)
	}
}

func (w *writer) value(indent string, depth int) {
	choice := w.random.IntN(12)
	if depth > 3 {
		choice = 11
	}
	switch choice {
	case 0, 1:
		if w.random.IntN(3) == 0 {
			w.anchors++
			name := fmt.Sprintf("x%d", w.anchors)
			w.text.WriteString(" &" + name)
			defer func() { w.mapping = append(w.mapping, name) }()
		}
		w.text.WriteString(w.pick("\n", "\n", " # c\n"))
		w.blockMap(indent+w.pick(" ", "  ", "    "), depth+1)
	case 2:
		w.text.WriteString("\n")
		inner := indent + w.pick("", "  ")
		for count := 1 + w.random.IntN(3); count > 0; count-- {
			w.text.WriteString(inner + w.pick("-", "-", "- -"))
			w.value(inner+"    ", depth+1)
		}
	case 3, 4:
		w.text.WriteString(" " + w.flow(0) + "\n")
	case 5:
		w.text.WriteString(" " + strings.ReplaceAll(w.pick(blockScalars...), "@", indent+"  "))
	case 6:
		w.text.WriteString(" " + w.json(0) + "\n")
	default:
		w.text.WriteString(w.pick(" ", " ", " ", "  ", " \t") + w.scalar() + w.pick("\n", "\n", "\n", " # c\n", " \n"))
	}
}

func (w *writer) flow(depth int) string {
	var parts []string
	isMap := w.random.IntN(2) == 0
	for count, index := w.random.IntN(4), 0; index < count; index++ {
		inner := w.scalar()
		if depth < 2 && w.random.IntN(4) == 0 {
			inner = w.flow(depth + 1)
		}
		if isMap || w.random.IntN(12) == 0 {
			inner = w.key(index) + w.pick(": ", ": ", ": ", ": ", ": ", " : ", ":  ", ":") + inner
		}
		parts = append(parts, inner)
	}
	text := strings.Join(parts, w.pick(", ", ",", " , ", ",\n     "))
	if isMap {
		return "{" + text + "}"
	}
	if len(parts) > 0 {
		text += w.pick("", "", "", ",")
	}
	return "[" + text + "]"
}

var jsonScalars = []string{
	"1", "-0", "1.0", "1e3", "1E400", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "0.1", "1e-7", "1e21",
	"true", "false", "null", `"a"`, `""`, `"\u0085"`, `"é"`, `"yes"`, `"<&>"`, "123456789012345678901", "-0.0",
}

// In a file of JSON alone these are what they are; YAML refuses them.
var jsonOnlyScalars = []string{`"\/"`, `"\ud83d\ude00"`, `"\ud800"`, "\"\u2028\"", "\"\u0085\"", "\"\x7f\"", "1E400"}

func (w *writer) json(depth int) string {
	var parts []string
	for count, index := w.random.IntN(4), 0; index < count; index++ {
		inner := w.pick(jsonScalars...)
		if w.random.IntN(100) == 0 {
			inner = w.pick(jsonOnlyScalars...)
		}
		switch w.random.IntN(6) {
		case 0:
			if depth < 3 {
				inner = w.json(depth + 1)
			}
		case 1:
			inner = "[" + inner + "," + w.pick(" ", "\t", "\n", "") + w.pick(jsonScalars...) + "]"
		}
		parts = append(parts, fmt.Sprintf(`"%c%d"%s%s`, 'a'+rune(index), w.random.IntN(40), w.pick(":", ": ", ":\t", " : "), inner))
	}
	return "{" + strings.Join(parts, w.pick(",", ", ", ",\n  ")) + "}"
}

var disturbances = []string{
	" ", "  ", "\n", "\t", ":", ": ", "-", "- ", "---", "---\n", "...", "...\n", "#", " #", "'", "\"", "[", "]", "{", "}", ",", "&a ", "*a", "!", "!!", "!a ",
	"|", ">", "?", "? ", "%", "@", "`", "<<: ", "\\", "\ufeff", "\r", "\u0085", "\u2028", "\x00", "\x07", "\xff", "~", "0", "_", ".", "e", "\u00a0", "y", "no",
}

// disturb puts in, takes out or doubles something.
func (w *writer) disturb(text string) string {
	if text == "" {
		return text
	}
	at := w.random.IntN(len(text))
	end := min(len(text), at+1+w.random.IntN(6))
	switch w.random.IntN(4) {
	case 0:
		return text[:at] + text[end:]
	case 1:
		return text[:end] + text[at:]
	}
	return text[:at] + w.pick(disturbances...) + text[at:]
}
