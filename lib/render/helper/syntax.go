package main

import (
	"bytes"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v2"
	yamlv3 "go.yaml.in/yaml/v3"
)

const maxWarnings = 20

// holdsBooleanWord takes a first, cheap look for plain words that Kubernetes reads as booleans although they look like text.
func holdsBooleanWord(text []byte) bool {
	for at := 0; at < len(text); at++ {
		if !opensBooleanWord[text[at]] || (at > 0 && !precedesWord[text[at-1]]) {
			continue
		}
		end := at + 1
		for end < len(text) && end-at < 4 && text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z' {
			end++
		}
		if booleanWords[string(text[at:end])] == "" {
			continue
		}
		rest := bytes.TrimLeft(text[end:], " \t")
		if (len(rest) == 0 || followsWord[rest[0]]) && startsScalar(text[:at]) {
			return true
		}
	}
	return false
}

// startsScalar tells whether a plain scalar can begin after this text; within prose there is a word before.
func startsScalar(before []byte) bool {
	before = bytes.TrimRight(before, " \t")
	if len(before) == 0 || precedesScalar[before[len(before)-1]] {
		return true
	}
	word := before[bytes.LastIndexAny(before, " \t\n[{,")+1:]
	return len(word) > 0 && (word[0] == '&' || word[0] == '!')
}

var (
	opensBooleanWord = byteSet("yYnNoO")
	precedesWord     = byteSet(" \t\n[{,")
	precedesScalar   = byteSet("\n:-?[{,")
	followsWord      = byteSet("\n,]}:#")
)

func byteSet(members string) (set [256]bool) {
	for _, member := range []byte(members) {
		set[member] = true
	}
	return set
}

var booleanWords = map[string]string{
	"y": "true", "Y": "true", "yes": "true", "Yes": "true", "YES": "true", "on": "true", "On": "true", "ON": "true",
	"n": "false", "N": "false", "no": "false", "No": "false", "NO": "false", "off": "false", "Off": "false", "OFF": "false",
}

var knownTags = map[string]bool{
	"": true, "!": true, "!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true, "!!map": true, "!!seq": true,
	"!!binary": true, "!!timestamp": true, "!!merge": true, "!!set": true, "!!omap": true, "!!pairs": true,
}

// checkSyntax looks at a document's syntax tree for what its value no longer shows.
func (c chunk) checkSyntax() ([]string, error) {
	var root yamlv3.Node
	if err := yamlv3.Unmarshal(c.text, &root); err != nil {
		return nil, c.syntaxError(err) // what cannot be looked at is not let through
	}
	check := &syntaxCheck{chunk: c, merged: map[*yamlv3.Node]map[string]bool{}}
	if err := check.node(&root); err != nil {
		return nil, err
	}
	return check.warnings, nil
}

type syntaxCheck struct {
	chunk    chunk
	merged   map[*yamlv3.Node]map[string]bool
	warnings []string
}

func (s *syntaxCheck) line(n *yamlv3.Node) int { return s.chunk.line + n.Line - 1 }

func (s *syntaxCheck) warn(n *yamlv3.Node, format string, args ...any) {
	if len(s.warnings) < maxWarnings {
		s.warnings = append(s.warnings, fmt.Sprintf("%s:%d: ", s.chunk.file, s.line(n))+fmt.Sprintf(format, args...))
	}
}

func (s *syntaxCheck) node(n *yamlv3.Node) error {
	if n.Style&yamlv3.TaggedStyle != 0 && !knownTags[n.ShortTag()] {
		return failure(s.chunk.file, s.line(n), "unknown tag %s: Kubernetes would ignore it", n.Tag)
	}
	switch n.Kind {
	case yamlv3.MappingNode:
		return s.mapping(n)
	case yamlv3.ScalarNode:
		if read, odd := booleanWords[n.Value]; odd && n.Style == 0 && n.Tag != "!" {
			s.warn(n, "%s is read as %s: write %s, or quote it", n.Value, read, read)
		}
	case yamlv3.DocumentNode, yamlv3.SequenceNode:
		for _, inner := range n.Content {
			if err := s.node(inner); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *syntaxCheck) mapping(n *yamlv3.Node) error {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if isMerge(key) {
			for name := range s.mergedKeys(value) {
				if seen[name] {
					return failure(s.chunk.file, s.line(key), "`<<` merges %q, which is set above it: kubectl and Kustomize read that differently, put `<<` first", name)
				}
			}
		} else {
			name := nodeKey(key)
			if seen[name] {
				return failure(s.chunk.file, s.line(key), "key %q is there twice: remove one of the two", name)
			}
			seen[name] = true
			if key.Kind == yamlv3.ScalarNode && key.Style == 0 && name != key.Value {
				s.warn(key, "key %s is read as %q: quote it", key.Value, name)
			}
			if key.Style&yamlv3.TaggedStyle != 0 && !knownTags[key.ShortTag()] {
				return failure(s.chunk.file, s.line(key), "unknown tag %s: Kubernetes would ignore it", key.Tag)
			}
		}
		if err := s.node(value); err != nil {
			return err
		}
	}
	return nil
}

// mergedKeys are the keys that `<<: value` brings in.
func (s *syntaxCheck) mergedKeys(value *yamlv3.Node) map[string]bool {
	if value.Kind == yamlv3.AliasNode {
		value = value.Alias
	}
	if known, ok := s.merged[value]; ok {
		return known
	}
	keys := map[string]bool{}
	s.merged[value] = keys
	add := func(inner *yamlv3.Node) {
		for name := range s.mergedKeys(inner) {
			keys[name] = true
		}
	}
	switch value.Kind {
	case yamlv3.SequenceNode:
		for _, inner := range value.Content {
			add(inner)
		}
	case yamlv3.MappingNode:
		for i := 0; i+1 < len(value.Content); i += 2 {
			if isMerge(value.Content[i]) {
				add(value.Content[i+1])
			} else {
				keys[nodeKey(value.Content[i])] = true
			}
		}
	}
	return keys
}

func isMerge(key *yamlv3.Node) bool {
	return key.Kind == yamlv3.ScalarNode && key.Value == "<<" && (key.Style == 0 || key.ShortTag() == "!!merge")
}

// nodeKey is the text that Kubernetes makes of a key.
func nodeKey(key *yamlv3.Node) string {
	if key.Kind == yamlv3.AliasNode {
		key = key.Alias
	}
	text := key.Value
	if key.Style&yamlv3.TaggedStyle != 0 {
		text = key.ShortTag() + " " + strconv.Quote(text)
	} else if key.Style != 0 {
		return text
	}
	var value any
	if key.Kind != yamlv3.ScalarNode || yaml.Unmarshal([]byte(text), &value) != nil {
		return key.Value
	}
	name, err := keyText(value)
	if err != nil {
		return key.Value
	}
	return name
}
