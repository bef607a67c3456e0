package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	helmrelease "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

// place turns the name that Helm has for a file of the chart into its path.
func (r *release) place(name string) string {
	return path.Join(r.path, strings.TrimPrefix(name, r.chart.Name()+"/"))
}

// objects reads what the templates gave, in Helm's order: CRDs, manifests, hooks.
func (r *release) objects(rendered map[string]string) (*objectSet, error) {
	hooks, manifests, err := releaseutil.SortManifests(rendered, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, r.explain(err)
	}
	set := newObjectSet()
	if !r.options.SkipCRDs {
		for _, crd := range r.chart.CRDObjects() {
			if err := addDocuments(set, r.place(crd.Filename), crd.File.Data); err != nil {
				return nil, err
			}
		}
	}
	for _, manifest := range manifests {
		if err := r.addRendered(set, manifest.Name, manifest.Content); err != nil {
			return nil, err
		}
	}
	for _, hook := range hooks {
		if r.options.SkipTests && isTest(hook) {
			continue
		}
		if err := r.addRendered(set, hook.Path, hook.Manifest); err != nil {
			return nil, err
		}
	}
	set.warnings = append(set.warnings, r.unknownHooks(rendered, hooks, manifests)...)
	return set, nil
}

// isTest is true for what only `helm test` would run.
func isTest(hook *helmrelease.Hook) bool {
	return !slices.ContainsFunc(hook.Events, func(event helmrelease.HookEvent) bool { return event != helmrelease.HookTest })
}

func addDocuments(set *objectSet, file string, text []byte) error {
	documents, warnings, err := decodeDocuments(file, text)
	if err != nil {
		return err
	}
	set.warnings = append(set.warnings, warnings...)
	for _, d := range documents {
		if err := set.add(d, defaults{}); err != nil {
			return err
		}
	}
	return nil
}

// addRendered tells lines in words: they are lines of what the template gave, and nobody has that file.
func (r *release) addRendered(set *objectSet, name, text string) error {
	documents, warnings, err := decodeDocuments(r.place(name), []byte(text))
	if err != nil {
		return withoutLine(err)
	}
	set.warnings = append(set.warnings, withoutLines(warnings)...)
	for _, d := range documents {
		d.line = 0
		if err := set.add(d, defaults{}); err != nil {
			return err
		}
	}
	return nil
}

func withoutLine(err error) error {
	if known, ok := err.(*renderError); ok && known.Line > 0 {
		return failure(known.File, 0, "%s (line %d of a document that the template gives)", known.Message, known.Line)
	}
	return err
}

// unknownHooks names what Helm leaves out without a word.
func (r *release) unknownHooks(rendered map[string]string, hooks []*helmrelease.Hook, manifests []releaseutil.Manifest) []string {
	kept := map[string]bool{}
	for _, hook := range hooks {
		kept[hook.Manifest] = true
	}
	for _, manifest := range manifests {
		kept[manifest.Content] = true
	}
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if !strings.Contains(rendered[name], helmrelease.HookAnnotation) || strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		for _, text := range releaseutil.SplitManifests(rendered[name]) {
			if !kept[text] {
				warnings = append(warnings, fmt.Sprintf("%s: an object is left out, as Helm does: it is a hook of a kind that Helm does not know", r.place(name)))
			}
		}
	}
	return warnings
}
