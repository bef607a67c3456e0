package main

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// building guards Kustomize's schema, which is global to the process.
var building sync.Mutex

// renderKustomization builds a folder as `kubectl kustomize` does, and reads the result as kubectl would.
// It tells when it has to stand in line for that, and when its turn comes.
func renderKustomization(files *commitFiles, folder string, inLine func(waiting bool)) ([]string, []string, error) {
	references, usesSchema, err := files.discover(folder)
	if err != nil {
		return nil, nil, err
	}
	manifests, err := build(files, folder, usesSchema, inLine)
	if err != nil {
		return nil, nil, explain(err, files, references, folder)
	}
	set := newObjectSet()
	for _, manifest := range manifests {
		documents, warnings, err := decodeDocuments(files.kustomizationOf(folder), manifest)
		if err != nil {
			return nil, nil, err
		}
		// Lines here are lines of what Kustomize wrote: nobody has that file.
		set.warnings = append(set.warnings, withoutLines(warnings)...)
		for _, d := range documents {
			d.line = 0
			if err := set.add(d, defaults{}); err != nil {
				return nil, nil, err
			}
		}
	}
	return set.objects, set.warnings, nil
}

func build(files *commitFiles, folder string, usesSchema bool, inLine func(waiting bool)) ([][]byte, error) {
	if !building.TryLock() {
		inLine(true)
		building.Lock()
		inLine(false)
	}
	defer building.Unlock()
	if usesSchema {
		// As in a fresh process: neither what earlier builds loaded, nor this schema in later builds.
		openapi.ResetOpenAPI()
		defer openapi.ResetOpenAPI()
	}
	kustomizer := krusty.MakeKustomizer(&krusty.Options{
		Reorder:          krusty.ReorderOptionUnspecified, // kubectl's: the legacy order, unless sortOptions says otherwise
		LoadRestrictions: types.LoadRestrictionsRootOnly,
		PluginConfig:     types.DisabledPluginConfig(),
	})
	resources, err := kustomizer.Run(files, path.Join(root, folder))
	if err != nil {
		return nil, err
	}
	var manifests [][]byte
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, text)
	}
	return manifests, nil
}

func (c *commitFiles) kustomizationOf(folder string) string {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if file := path.Join(folder, name); c.entries[file].kind == isFile {
			return file
		}
	}
	return folder
}

var (
	// Where Kustomize quotes what may be secret: the configuration of a generator, literals, lines of env files.
	configText   = regexp.MustCompile("(?s) with config: `.*`")
	literalText  = regexp.MustCompile(`(?s)literal sources \[.*, expected key=value`)
	envLine      = regexp.MustCompile(`(?s)(has invalid utf8 bytes) : .*`)
	malformed    = regexp.MustCompile(`MalformedYAMLError: (?:yaml: )?(?:line (\d+): )?(.*?) in File: ([^\s:']+)`)
	warningLine  = regexp.MustCompile(`:\d+: `)
	longestError = 600
)

// explain turns an error of Kustomize into one that names the file. Kustomize quotes whole generators, with the secrets
// in them: that goes.
func explain(err error, files *commitFiles, references []reference, folder string) error {
	if files.failed != nil {
		return files.failed
	}
	if problem := files.problem(references); problem != nil {
		return problem
	}
	text := configText.ReplaceAllString(err.Error(), "")
	text = literalText.ReplaceAllString(text, "a literal that is not key=value")
	text = envLine.ReplaceAllString(text, "$1")
	text = strings.ReplaceAll(strings.ReplaceAll(text, root+"/", ""), root, "the repository's root")
	text = strings.Join(strings.Fields(text), " ")
	file, line := files.kustomizationOf(folder), 0
	if found := malformed.FindStringSubmatch(text); found != nil {
		file, text = fileNamed(found[3], references, file), found[2]
		line, _ = strconv.Atoi(found[1])
	}
	if len(text) > longestError {
		text = strings.ToValidUTF8(text[:longestError], "") + "..."
	}
	return failure(file, line, "%s", text)
}

// fileNamed finds the path that a kustomization wrote as text, when only one can be meant.
func fileNamed(text string, references []reference, otherwise string) string {
	found := ""
	for _, r := range references {
		if r.text == text && found != "" && found != r.path {
			return otherwise
		}
		if r.text == text {
			found = r.path
		}
	}
	if found == "" {
		return otherwise
	}
	return found
}

func withoutLines(warnings []string) []string {
	for i, warning := range warnings {
		warnings[i] = warningLine.ReplaceAllString(warning, ": ")
	}
	return warnings
}
