package main

import (
	"encoding/json"
	"path"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/types"
)

// kustomization is one file as Kustomize reads it: keys in any case, aliases and merge keys resolved.
type kustomization struct {
	types.Kustomization
	file    string
	content []byte
	lines   *yamlv3.Node
	// edited: what is built is no longer what the file says.
	edited bool
	// ownComponents are those that the file names; the others come with the application's options.
	ownComponents int
}

func readKustomization(file string, content []byte) (*kustomization, error) {
	k := &kustomization{file: file, content: content}
	if err := k.Unmarshal(content); err != nil {
		return nil, err
	}
	k.ownComponents = len(k.Components)
	return k, nil
}

// replace lets the build see the edited kustomization.
func (c *commitFiles) replace(file string, k *kustomization) error {
	content, err := json.Marshal(k.Kustomization)
	if err != nil {
		return err
	}
	c.entries[c.real(file)] = commitEntry{kind: isFile, content: content}
	return nil
}

// warnings are Kustomize's own words about fields that it will give up.
func (k *kustomization) warnings() []string {
	var found []string
	for _, text := range *k.CheckDeprecatedFields() {
		text = strings.TrimPrefix(text, "# Warning: ")
		text, _, _ = strings.Cut(strings.Replace(text, "[EXPERIMENTAL] ", "", 1), " Run 'kustomize")
		found = append(found, k.file+": "+strings.TrimSuffix(text, "."))
	}
	return found
}

// references gives every path that the file names. A remote one is refused, or leads from now on to where its files will be
// looked up.
func (k *kustomization) references(job kustomizeJob) ([]reference, error) {
	if len(k.HelmCharts) > 0 || len(k.HelmChartInflationGenerator) > 0 || k.HelmGlobals != nil {
		for _, field := range []string{"helmCharts", "helmChartInflationGenerator", "helmGlobals"} {
			if line := k.lineOf(field, ""); line > 0 {
				return nil, failure(k.file, line, "%s: Kustomize's Helm charts are not rendered: commit the rendered chart", field)
			}
		}
		return nil, failure(k.file, 0, "Kustomize's Helm charts are not rendered: commit the rendered chart")
	}
	var references []reference
	var refused error
	k.eachPath(func(field string, text *string) {
		if refused != nil || *text == "" {
			return
		}
		r := reference{in: k, field: field, text: *text}
		if isInline(*text) {
			if found := remoteInDocuments([]byte(*text)); pluginFields[field] && found != "" {
				refused = failure(k.file, 0, "%s: %s", field, refusedRemote(found))
			}
			return
		}
		if refused = k.locate(&r, text, job); refused == nil {
			references = append(references, r)
		}
	})
	return references, refused
}

// locate finds where in the repository, or in a remote base, the files of a reference are.
func (k *kustomization) locate(r *reference, text *string, job kustomizeJob) error {
	folder := path.Dir(k.file)
	if remote.MatchString(r.text) {
		place, problem := remotePlace(r.text, job.remoteBases)
		if problem != "" {
			return r.refuse("%s", problem)
		}
		if len(k.BuildMetadata) > 0 {
			return r.refuse("%s: buildMetadata can't tell of remote bases: leave it out", r.text)
		}
		*text, k.edited = place, true
		r.path = path.Join(folder, place)
		return nil
	}
	if strings.Contains("/"+r.text+"/", "/.git/") {
		return r.refuse("%s: .git is no folder of a commit", r.text)
	}
	inside := false
	if !path.IsAbs(r.text) {
		r.path, inside = inRepository(path.Join(root, folder, r.text))
	}
	if base := remoteRoot(k.file); base != "" && r.path != base && !strings.HasPrefix(r.path, base+"/") {
		return r.refuse("%s lies outside the remote base", r.text)
	}
	if inside && r.path == "" {
		return r.refuse("%s is the repository's root, which holds this folder itself", r.text)
	}
	return nil
}

// isInline tells a document in the place of a path.
func isInline(text string) bool {
	return strings.Contains(text, "\n") || strings.HasPrefix(text, "{")
}

func (k *kustomization) eachPath(visit func(field string, text *string)) {
	for _, list := range []struct {
		field string
		texts []string
	}{
		{"resources", k.Resources}, {"bases", k.Bases}, {"components", k.Components[:k.ownComponents]},
		{optionPrefix + "components", k.Components[k.ownComponents:]}, {"crds", k.Crds}, {"configurations", k.Configurations},
		{"generators", k.Generators}, {"transformers", k.Transformers}, {"validators", k.Validators},
	} {
		for i := range list.texts {
			visit(list.field, &list.texts[i])
		}
	}
	for i := range k.PatchesStrategicMerge {
		visit("patchesStrategicMerge", (*string)(&k.PatchesStrategicMerge[i]))
	}
	for i := range k.Patches {
		visit("patches", &k.Patches[i].Path)
	}
	for i := range k.PatchesJson6902 {
		visit("patchesJson6902", &k.PatchesJson6902[i].Path)
	}
	for i := range k.Replacements {
		visit("replacements", &k.Replacements[i].Path)
	}
	for i := range k.ConfigMapGenerator {
		eachSource("configMapGenerator", &k.ConfigMapGenerator[i].KvPairSources, visit)
	}
	for i := range k.SecretGenerator {
		eachSource("secretGenerator", &k.SecretGenerator[i].KvPairSources, visit)
	}
	if schema, named := k.OpenAPI["path"]; named {
		visit("openapi", &schema)
		k.OpenAPI["path"] = schema
	}
}

func eachSource(field string, sources *types.KvPairSources, visit func(field string, text *string)) {
	for i := range sources.EnvSources {
		visit(field, &sources.EnvSources[i])
	}
	visit(field, &sources.EnvSource)
	for i, text := range sources.FileSources {
		key, source, named := strings.Cut(text, "=")
		if !named || remote.MatchString(key) {
			key, source = path.Base(text), text
		}
		before := source
		visit(field, &source)
		if source != before {
			sources.FileSources[i] = key + "=" + source
		}
	}
}

// lineOf finds where the file writes a text below a field, or the field itself for ""; 0 when it does not stand there so.
func (k *kustomization) lineOf(field, text string) int {
	if k.lines == nil {
		k.lines = &yamlv3.Node{}
		_ = yamlv3.Unmarshal(k.content, k.lines)
	}
	if len(k.lines.Content) == 0 || k.lines.Content[0].Kind != yamlv3.MappingNode {
		return 0
	}
	pairs := k.lines.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.EqualFold(pairs[i].Value, field) {
			continue
		}
		if text == "" {
			return pairs[i+1].Line
		}
		if line := lineBelow(pairs[i+1], text); line > 0 {
			return line
		}
	}
	return 0
}

func lineBelow(n *yamlv3.Node, text string) int {
	if n.Kind == yamlv3.ScalarNode && (n.Value == text || strings.HasSuffix(n.Value, "="+text)) {
		return n.Line
	}
	for _, inner := range n.Content {
		if line := lineBelow(inner, text); line > 0 {
			return line
		}
	}
	return 0
}
