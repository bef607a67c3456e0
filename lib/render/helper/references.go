package main

import (
	"path"
	"regexp"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
)

// reference is one path that a kustomization names.
type reference struct {
	file  string // the kustomization
	line  int
	field string
	text  string // as written
	path  string // relative to the repository's root; "" when it leaves the repository
}

// discover fetches everything that the kustomizations below a folder name, one message a level, so that the build
// itself need not wait. It refuses what points outside the commit before anything is tried.
func (c *commitFiles) discover(folder string) (references []reference, usesSchema bool, err error) {
	seen := map[string]bool{folder: true}
	for level := []string{folder}; len(level) > 0; {
		var found []reference
		for _, directory := range level {
			for _, name := range konfig.RecognizedKustomizationFileNames() {
				file := path.Join(directory, name)
				if c.entries[file].kind != isFile {
					continue
				}
				named, schema, err := referencesOf(file, c.entries[file].content)
				if err != nil {
					return nil, false, err
				}
				usesSchema = usesSchema || schema
				found = append(found, named...)
			}
		}
		if err := c.fetch(pathsOf(found)); err != nil {
			return nil, false, err
		}
		references, level = append(references, found...), nil
		for _, r := range found {
			if c.entries[r.path].kind == isDirectory && !seen[r.path] {
				seen[r.path] = true
				level = append(level, r.path)
			}
		}
	}
	return references, usesSchema, nil
}

func pathsOf(references []reference) []string {
	var paths []string
	for _, r := range references {
		if r.path != "" {
			paths = append(paths, r.path)
		}
	}
	return paths
}

// problem tells, after a build has failed, which named path is to blame: a clearer word than the build's own.
func (c *commitFiles) problem(references []reference) error {
	for _, r := range references {
		switch entry := c.entries[r.path]; {
		case r.path == "":
			return failure(r.file, r.line, "%s: %s lies outside the repository", r.field, r.text)
		case entry.kind == isAbsent:
			return failure(r.file, r.line, "%s: %s does not exist in the commit", r.field, r.text)
		case entry.kind == isDirectory && !c.hasKustomization(r.path):
			return failure(r.file, r.line, "%s: the folder %s has no kustomization.yaml", r.field, r.text)
		}
	}
	return nil
}

func (c *commitFiles) hasKustomization(folder string) bool {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if c.entries[path.Join(folder, name)].kind == isFile {
			return true
		}
	}
	return false
}

var pathLists = []string{
	"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators", "patchesStrategicMerge",
}
var pathOwners = []string{"patches", "patchesJson6902", "replacements"}
var generators = []string{"configMapGenerator", "secretGenerator"}
var charts = []string{"helmCharts", "helmChartInflationGenerator", "helmGlobals"}

// remote is what Kustomize would take for a URL or a repository.
var remote = regexp.MustCompile(`(?i)^git::|://|^(?:www\.)?github\.com[/:]|^gh:|^[^/\s]+@[^/\s]+[:/]|\?(?:ref|version|timeout|submodules)=`)

var userInformation = regexp.MustCompile(`//[^/@\s]*@`)

func referencesOf(file string, content []byte) (references []reference, usesSchema bool, err error) {
	var document yamlv3.Node
	if yamlv3.Unmarshal(content, &document) != nil || len(document.Content) == 0 {
		return nil, false, nil // the build says what is wrong with it
	}
	top := document.Content[0]
	add := func(field string, n *yamlv3.Node, text string) {
		if err == nil && n != nil && n.Kind == yamlv3.ScalarNode && text != "" && !strings.Contains(text, "\n") {
			if remote.MatchString(text) {
				err = failure(file, n.Line, "%s: %s is remote; a render reads the commit only: copy it into the repository", field, userInformation.ReplaceAllString(text, "//"))
				return
			}
			inside, _ := inRepository(path.Join(root, path.Dir(file), text))
			references = append(references, reference{file: file, line: n.Line, field: field, text: text, path: inside})
		}
	}
	for _, field := range charts {
		if n := child(top, field); n != nil && len(n.Content) > 0 {
			return nil, false, failure(file, n.Line, "%s: Kustomize's Helm charts are not rendered: commit the rendered chart", field)
		}
	}
	for _, field := range pathLists {
		for _, n := range items(child(top, field)) {
			add(field, n, n.Value)
		}
	}
	for _, field := range pathOwners {
		for _, owner := range items(child(top, field)) {
			if n := child(owner, "path"); n != nil {
				add(field, n, n.Value)
			}
		}
	}
	for _, field := range generators {
		for _, owner := range items(child(top, field)) {
			for _, n := range append(items(child(owner, "envs")), child(owner, "env")) {
				if n != nil {
					add(field, n, n.Value)
				}
			}
			for _, n := range items(child(owner, "files")) {
				_, source, named := strings.Cut(n.Value, "=")
				if !named {
					source = n.Value
				}
				add(field, n, source)
			}
		}
	}
	schema := child(top, "openapi")
	if n := child(schema, "path"); n != nil {
		add("openapi", n, n.Value)
	}
	return references, schema != nil, err
}

func child(mapping *yamlv3.Node, key string) *yamlv3.Node {
	if mapping == nil || mapping.Kind != yamlv3.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return target(mapping.Content[i+1])
		}
	}
	return nil
}

func items(sequence *yamlv3.Node) []*yamlv3.Node {
	if sequence == nil || sequence.Kind != yamlv3.SequenceNode {
		return nil
	}
	all := make([]*yamlv3.Node, len(sequence.Content))
	for i, n := range sequence.Content {
		all[i] = target(n)
	}
	return all
}

func target(n *yamlv3.Node) *yamlv3.Node {
	if n.Kind == yamlv3.AliasNode {
		return n.Alias
	}
	return n
}
