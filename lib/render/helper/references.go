package main

import (
	"path"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
)

// reference is one path that a kustomization names.
type reference struct {
	in    *kustomization
	field string
	text  string // as written
	path  string // relative to the repository's root; "" when it leaves the repository
}

// refuse gives an error at the line that names the path.
func (r reference) refuse(format string, args ...any) *renderError {
	if strings.HasPrefix(r.field, optionPrefix) {
		return failure(folderOf(r.in.file), 0, "%s: "+format, append([]any{r.field}, args...)...)
	}
	return failure(r.in.file, r.in.lineOf(r.field, r.text), "%s: "+format, append([]any{r.field}, args...)...)
}

// discovery is what the kustomizations below a folder name.
type discovery struct {
	references []reference
	warnings   []string
	usesSchema bool
	// top is the kustomization that the application's options were laid over.
	top *kustomization
}

// discover fetches everything that the kustomizations below a folder name, one message a level, so that the build
// itself need not wait. It refuses what points outside the commit before anything is tried.
func (c *commitFiles) discover(job kustomizeJob) (*discovery, error) {
	found := &discovery{}
	seen := map[string]bool{job.folder: true}
	for level := []string{job.folder}; len(level) > 0; {
		named, err := c.readLevel(level, job, found)
		if err != nil {
			return nil, err
		}
		if err := c.fetch(pathsOf(named)); err != nil {
			return nil, err
		}
		found.references, level = append(found.references, named...), nil
		for _, r := range named {
			if folder := c.real(r.path); c.entries[folder].kind == isDirectory && !seen[folder] {
				seen[folder] = true
				level = append(level, folder)
			}
		}
		if err := c.refuseRemoteDocuments(named); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// readLevel reads the kustomizations of some folders, and puts the edited ones in the place of the written ones.
func (c *commitFiles) readLevel(folders []string, job kustomizeJob, found *discovery) ([]reference, error) {
	var named []reference
	for _, folder := range folders {
		for _, file := range c.kustomizationsIn(folder) {
			k, err := readKustomization(file, c.known(file).content)
			if err != nil {
				continue // the build says what is wrong with it
			}
			found.warnings = append(found.warnings, k.warnings()...)
			found.usesSchema = found.usesSchema || len(k.OpenAPI) > 0
			if folder == job.folder && job.options != nil {
				found.top = k
				if err := k.lay(job); err != nil {
					return nil, err
				}
			}
			references, err := k.references(job)
			if err != nil {
				return nil, err
			}
			named = append(named, references...)
			if k.edited {
				if err := c.replace(file, k); err != nil {
					return nil, err
				}
			}
		}
	}
	return named, nil
}

// problem tells, after a build has failed, which named path is to blame: a clearer word than the build's own.
func (c *commitFiles) problem(references []reference) error {
	for _, r := range references {
		switch entry := c.known(r.path); {
		case r.path == "":
			return r.refuse("%s lies outside the repository", r.text)
		case entry.kind == isAbsent:
			return r.refuse("%s does not exist in the commit", r.text)
		case entry.kind == isDirectory && len(c.kustomizationsIn(r.path)) == 0:
			return r.refuse("the folder %s has no kustomization.yaml", r.text)
		}
	}
	return nil
}

func (c *commitFiles) kustomizationsIn(folder string) []string {
	var files []string
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if file := path.Join(folder, name); c.known(file).kind == isFile {
			files = append(files, file)
		}
	}
	return files
}

// refuseRemoteDocuments looks into the configurations of generators and transformers, which name files of their own.
func (c *commitFiles) refuseRemoteDocuments(references []reference) error {
	for _, r := range references {
		if entry := c.known(r.path); pluginFields[r.field] && entry.kind == isFile {
			if text := remoteInDocuments(entry.content); text != "" {
				return failure(r.path, 0, "%s", refusedRemote(text))
			}
		}
	}
	return nil
}

var pluginFields = map[string]bool{"generators": true, "transformers": true, "validators": true}

// pluginPaths are the keys under which Kustomize's own plugins look for files.
var pluginPaths = map[string]bool{
	"path": true, "paths": true, "files": true, "envs": true, "env": true, "repo": true, "chartHome": true, "valuesFile": true,
	"additionalValuesFiles": true,
}

// remoteInDocuments gives the first remote path in the configuration of a plugin; "" when there is none.
func remoteInDocuments(content []byte) string {
	decoder := yamlv3.NewDecoder(strings.NewReader(string(content)))
	for {
		var document yamlv3.Node
		if decoder.Decode(&document) != nil {
			return ""
		}
		if found := remoteBelow(&document, false); found != "" {
			return found
		}
	}
}

func remoteBelow(n *yamlv3.Node, isPath bool) string {
	if n.Kind == yamlv3.ScalarNode && isPath {
		if _, source, named := strings.Cut(n.Value, "="); named && remote.MatchString(source) {
			return source
		}
		if remote.MatchString(n.Value) {
			return n.Value
		}
	}
	for i, inner := range n.Content {
		below := isPath
		if n.Kind == yamlv3.MappingNode {
			below = i%2 == 1 && pluginPaths[n.Content[i-i%2].Value]
		}
		if found := remoteBelow(inner, below); found != "" {
			return found
		}
	}
	return ""
}

// optionPrefix marks what the application's options name, not the file.
const optionPrefix = "kustomize."

func folderOf(file string) string {
	if folder := path.Dir(file); folder != "." {
		return folder
	}
	return ""
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
