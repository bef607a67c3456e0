package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// What must come out exactly as from Kubernetes' own decoder.
var sameAsKubernetes = []string{
	"v: no\nw: 'no'\nx: 0644\ny2: 0x1F\nz: 1_000\n",
	"v: 9007199254740993\nw: -9223372036854775808\nx: 18446744073709551615\n",
	"v: 1.0\nw: 1e3\nx: .5\nz: 1e21\n",
	"v: 2001-12-14\nw: 12:30:45\nx: 1e400\n",
	"on: 1\n010: 2\n",
	"a: &x {k: 1}\nb:\n  <<: *x\n  l: 2\nc: *x\n",
	"a: &x {k: 1}\nb:\n  <<: *x\n  k: 2\n",
	"v: |\n  a\n   b\nw: >\n  a\n  b\n\n   c\n",
	"v: |\r\n  a\r\n  b\r\n",
	"# nothing\n---\n---\na: 1\n--- # two\nb: 2\n...\n",
	"\ufeffa: 1\n---\n\ufeffb: 2\n",
	"{\"a\": 1, \"b\": 9007199254740993}\n{\"c\": 1.50}\n",
	"{\"a\": 0777}\n",
	"\n\n  {\"a\":\t\"\\ud83d\\ude00\"}\n",
	"{a: 1}\n---\nb: [x, {y2: ~}]\n",
	"v: \"\\u2028 <&>\"\nw: !!binary aGVsbG8=\nx: !!str 12\n",
	"a:\n- 1\n-  - 2\n   - k: v\n",
	"---\nnull\n---\na: ''\n",
	"v: [-0.0, -0, 0.0]\n",
	"{\"a\": 1}\nb: 2\n",
	"{\"a\": \"\\ud83d\\ude00\"}\n---\nb: 1\n",
	"{\"a\": 1} null 2 {\"b\": -0.0}\n",
	"\t{a: 1}\n",
	"a: x\ufeffy\n",
	"a: &x {!!int \"3\": 1}\nb: {<<: *x, 4: 1}\n",
	"v: 4611686018427387904.0\nw: 1e18\nx: 123456789012345678901\n",
	"? a\n: 1\n? 'b'\n: - x\n",
	"k: [a, 1:, b]\n",
}

func TestReadsAsKubernetesDoes(t *testing.T) {
	for _, text := range sameAsKubernetes {
		want, err := kubernetesDocuments(text)
		if err != nil {
			t.Fatalf("%q: the reference refuses it: %v", text, err)
		}
		documents, _, err := decodeDocuments("x.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		for _, d := range documents {
			line, err := canonical(d.value)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, line)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

// FuzzReadsAsKubernetesDoes holds for every text: the same documents as Kubernetes, or a refusal.
func FuzzReadsAsKubernetesDoes(f *testing.F) {
	for _, text := range sameAsKubernetes {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		documents, _, err := decodeDocuments("x.yaml", []byte(text))
		if err != nil {
			return
		}
		want, err := kubernetesDocuments(text)
		if err != nil {
			t.Fatalf("%q: Kubernetes refuses it: %v", text, err)
		}
		var got []string
		for _, d := range documents {
			line, err := canonical(d.value)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, line)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q:\n got %q\nwant %q", text, got, want)
		}
	})
}

// kubernetesDocuments is what kubectl makes of a text: a RawExtension for each document, its integers kept.
func kubernetesDocuments(text string) ([]string, error) {
	decoder := kyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	var documents []string
	for {
		var raw runtime.RawExtension
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			return documents, nil
		} else if err != nil {
			return nil, err
		}
		content := bytes.TrimSpace(raw.Raw)
		if len(content) == 0 || string(content) == "null" {
			continue
		}
		var value any
		if err := utiljson.Unmarshal(content, &value); err != nil {
			return nil, err
		}
		value = withoutNegativeZero(value)
		line, err := canonical(value)
		if err != nil {
			return nil, err
		}
		documents = append(documents, line)
	}
}

// withoutNegativeZero: a YAML -0.0 becomes the integer 0 in Kubernetes, one of a JSON file stays a negative zero.
func withoutNegativeZero(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		for key, inner := range typed {
			typed[key] = withoutNegativeZero(inner)
		}
	case []any:
		for index, inner := range typed {
			typed[index] = withoutNegativeZero(inner)
		}
	case float64:
		if typed == 0 {
			return int64(0)
		}
	}
	return value
}

func TestRefusesWhatWouldBeReadWronglyInSilence(t *testing.T) {
	cases := []struct {
		text, message string
		line          int
	}{
		{"a: 1\nb: 2\na: 3\n", "there twice", 3},
		{"\n---\nx: 1\n---\ns:\n  a: 1\n  a: 2\n", "there twice", 7},
		{"1: a\n\"1\": b\n", "there twice", 1},
		{"a: 1\n...\nb: 2\n", "content after the end", 1},
		{"{a: 1}\nb: 2\n", "content after the end", 1},
		{"---# a\n", "content after the separator", 1},
		{"--- {a: 1}\n", "content after the separator", 1},
		{"x: 1\nv: !Ref a\n", "unknown tag", 2},
		{"1.5: a\n", "decimal number", 1},
		{"a: 1\rb: 2\n", "carriage return", 1},
		{"a: 1\nb: a\u2028b\n", "U+2028", 2},
		{"a: .nan\n", "infinity and NaN", 1},
		{"\xff\xfea\x00", "UTF-16", 1},
		{"a: \xc3(\n", "not valid UTF-8", 1},
		{"x: &x {a: 1}\ny2:\n  a: 2\n  <<: *x\n", "put `<<` first", 4},
		{"{\"a\": 1, \"a\": 2}", "duplicate field", 1},
		{"v: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "nested more than 128", 1},
		{aliasBomb(9, 9), "too many aliases", 1},
		{"---\n\ufeffa: 1\n", "byte order mark", 2},
		{"a: 1\n\ufeffb: 2\n", "byte order mark", 2},
		{"{\"a\": \"\n\xff\"}", "not valid UTF-8", 2},
		{"{\"a\": 1}\n{\"a\": 2}\n{\"a\"\n", "after 2 objects: unexpected EOF", 2},
		{"{\"a\": 1}\n---\nb: \u2028\n", "U+2028", 3},
		{"{a}", "neither JSON nor a YAML document", 1},
		{"x: {<<: {a: 1}}\nb:\n  !!int \"0x3\": 1\n  3: 2\n", "there twice", 4},
	}
	for _, c := range cases {
		_, _, err := decodeDocuments("x.yaml", []byte(c.text))
		var refused *renderError
		if !errors.As(err, &refused) {
			t.Errorf("%.60q: accepted", c.text)
			continue
		}
		if !strings.Contains(refused.Message, c.message) || refused.Line != c.line || refused.File != "x.yaml" {
			t.Errorf("%.60q: got %s:%d: %s", c.text, refused.File, refused.Line, refused.Message)
		}
	}
}

func aliasBomb(levels, width int) string {
	var text strings.Builder
	text.WriteString("a0: &a0 [x]\n")
	for level := 1; level <= levels; level++ {
		previous := strings.Repeat(",*a"+string(rune('0'+level-1)), width)[1:]
		name := string(rune('0' + level))
		text.WriteString("a" + name + ": &a" + name + " [" + previous + "]\n")
	}
	return text.String()
}

// The reader's library must stay the one that sigs.k8s.io/yaml wraps: this fails when the two part.
func TestYAMLLibraryIsTheOneOfKubernetes(t *testing.T) {
	converted, err := sigsyaml.YAMLToJSON([]byte("v: {on: 0b11, w: 1_0}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(converted, &want); err != nil {
		t.Fatal(err)
	}
	if got := want.(map[string]any)["v"]; !reflect.DeepEqual(got, map[string]any{"true": 3.0, "w": 10.0}) {
		t.Fatalf("got %v", got)
	}
}
