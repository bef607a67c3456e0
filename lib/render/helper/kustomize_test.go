package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	http.DefaultTransport = noNetwork{}
	os.Exit(m.Run())
}

// commit answers lookups from a map, and keeps what was asked.
type commit struct {
	files map[string]string
	asked []string
}

func (c *commit) lookup(paths []string) ([]foundEntry, error) {
	var found []foundEntry
	for _, p := range paths {
		c.asked = append(c.asked, p)
		if text, ok := c.files[p]; ok {
			found = append(found, foundEntry{Path: p, Type: isFile, Text: text})
			continue
		}
		kind := isAbsent
		for file := range c.files {
			if strings.HasPrefix(file, p+"/") {
				kind = isDirectory
			}
			if path.Dir(file) == p && strings.HasPrefix(path.Base(file), "kustomization") {
				found = append(found, foundEntry{Path: file, Type: isFile, Text: c.files[file]})
			}
		}
		found = append(found, foundEntry{Path: p, Type: kind})
	}
	return found, nil
}

func (c *commit) render(folder string) ([]string, error) {
	files := newCommitFiles(c.lookup)
	if err := files.fetch([]string{path.Join(folder, "kustomization.yaml")}); err != nil {
		return nil, err
	}
	objects, _, err := renderKustomization(files, kustomizeJob{folder: folder}, func(bool) {})
	return objects, err
}

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  mode: fast\n"

func TestOverlayReadsItsBaseAndNothingElse(t *testing.T) {
	c := &commit{files: map[string]string{
		"apps/qa/kustomization.yaml": "resources: [../../base]\nnamePrefix: qa-\n",
		"base/kustomization.yaml":    "resources: [settings.yaml]\n",
		"base/settings.yaml":         configMap,
		"base/README.md":             "x",
	}}
	objects, err := c.render("apps/qa")
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"apiVersion":"v1","data":{"mode":"fast"},"kind":"ConfigMap","metadata":{"name":"qa-settings"}}`; len(objects) != 1 || objects[0] != want {
		t.Errorf("got %q", objects)
	}
	if !slices.Contains(c.asked, "base/settings.yaml") || slices.Contains(c.asked, "base/README.md") {
		t.Errorf("asked for %q", c.asked)
	}
}

func TestRefusalsOfKustomizations(t *testing.T) {
	cases := []struct{ kustomization, message string }{
		{"resources:\n- https://example.com/a.yaml\n", "is remote"},
		{"resources:\n- git::https://user:pass@example.com/a//b\n", "https://example.com/a//b is remote"},
		{"resources:\n- github.com/org/repo//path?ref=v1\n", "is remote"},
		{"resources:\n- git@example.com:org/repo\n", "is remote"},
		{"components:\n- ssh://example.com/a\n", "is remote"},
		{"patches:\n- path: http://169.254.169.254/latest\n", "is remote"},
		{"configMapGenerator:\n- name: a\n  files: [k=https://example.com/a]\n", "is remote"},
		{"helmCharts:\n- name: a\n  repo: https://example.com\n", "Helm charts are not rendered"},
		{"resources:\n- ../../../outside\n", "lies outside the repository"},
		{"resources:\n- missing.yaml\n", "missing.yaml does not exist in the commit"},
		{"resources:\n- ../empty\n", "the folder ../empty has no kustomization.yaml"},
		{"configMapGenerator:\n- name: a\n  files: [../empty/secret.txt]\n", "is not in or below"},
		{"transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: https://example.com/p.yaml\n", "is remote"},
		{"transformers:\n- ../plugins\n", "remote files are refused"},
		{"generators:\n- |-\n  apiVersion: v1\n  kind: G\n  metadata:\n    name: x\n    annotations:\n      config.kubernetes.io/function: |\n        exec: {path: /bin/sh}\n", "external plugins disabled"},
		{"resources: [settings.yaml\n", "yaml"},
		{"secretGenerator:\n- name: a\n  literals: [hush]\n", "a literal that is not key=value"},
	}
	for _, c := range cases {
		_, err := (&commit{files: map[string]string{
			"apps/qa/kustomization.yaml": c.kustomization,
			"apps/empty/secret.txt":      "x",
			// The network is shut as well: not every file that names something is looked into before.
			"apps/plugins/kustomization.yaml": "resources: [p.yaml]\n",
			"apps/plugins/p.yaml":             "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: https://example.com/p.yaml\n",
		}}).render("apps/qa")
		var refused *renderError
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, c.message) {
			t.Errorf("%q: got %v", c.kustomization, err)
			continue
		}
		if refused.File != "apps/qa/kustomization.yaml" {
			t.Errorf("%q: the error names the file %q", c.kustomization, refused.File)
		}
		if strings.Contains(refused.Message, root) {
			t.Errorf("%q: the error shows the file system of the helper: %s", c.kustomization, refused.Message)
		}
	}
}

func TestFilesThatKustomizeCannotBearAreRefused(t *testing.T) {
	var many strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&many, "  key%d: x\n", i)
	}
	for text, message := range map[string]string{
		configMap + aliasBomb(9, 9): "too many aliases",
		configMap + many.String():   "a map of more than 5000 keys",
	} {
		_, err := (&commit{files: map[string]string{
			"a/kustomization.yaml": "resources: [large.yaml]\n",
			"a/large.yaml":         text,
		}}).render("a")
		var refused *renderError
		if !errors.As(err, &refused) || refused.File != "a/large.yaml" || !strings.Contains(refused.Message, message) {
			t.Errorf("got %v", err)
		}
	}
}

func TestCustomSchemaDoesNotReachTheNextBuild(t *testing.T) {
	plain := map[string]string{
		"a/kustomization.yaml": "resources: [d.yaml]\npatches: [{path: p.yaml}]\n",
		"a/d.yaml":             "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: a, image: a:1}]}}}\n",
		"a/p.yaml":             "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: b, image: b:1}]}}}\n",
	}
	before, err := (&commit{files: plain}).render("a")
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]string{"a/kustomization.yaml": plain["a/kustomization.yaml"] + "openapi: {path: schema.json}\n", "a/schema.json": `{"definitions":{}}`}
	for _, name := range []string{"a/d.yaml", "a/p.yaml"} {
		own[name] = plain[name]
	}
	changed, err := (&commit{files: own}).render("a")
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(changed, before) {
		t.Fatal("the custom schema had no effect: this test shows nothing")
	}
	after, err := (&commit{files: plain}).render("a")
	if err != nil || !slices.Equal(after, before) {
		t.Fatalf("got %q, %v, want %q", after, err, before)
	}
}

func TestRemoteBasesAreReadAsKustomizeReadsThem(t *testing.T) {
	id := strings.Repeat("0123456789", 4)
	for text, want := range map[string]remoteBase{
		"https://github.com/org/repo?ref=" + id:                          {"https://github.com/org/repo", id, ""},
		"https://github.com/org/repo/a/b?ref=" + id:                      {"https://github.com/org/repo", id, "a/b"},
		"github.com/org/repo//a/?ref=" + id:                              {"https://github.com/org/repo", id, "a"},
		"git::https://git.example/group/sub/repo//a?ref=" + id:           {"https://git.example/group/sub/repo", id, "a"},
		"https://git.example/group/sub/repo.git/a?ref=" + id:             {"https://git.example/group/sub/repo.git", id, "a"},
		"https://git.example/group/sub/repo.git?ref=" + id:               {"https://git.example/group/sub/repo.git", id, ""},
		"https://dev.azure.com/org/project/_git/repo/a/b?ref=" + id:      {"https://dev.azure.com/org/project/_git/repo", id, "a/b"},
		"https://raw.githubusercontent.com/org/repo/" + id + "/a/b.yaml": {"https://github.com/org/repo", id, "a/b.yaml"},
	} {
		got, problem := parseRemote(text)
		if problem != "" || got != want {
			t.Errorf("%s: got %+v, %s", text, got, problem)
		}
	}
}

func TestRemotePathsAreShownAsURLs(t *testing.T) {
	id := strings.Repeat("0123456789", 4)
	url := "https://github.com/org/repo//a?ref=" + id
	place, problem := remotePlace(url, []string{"https://github.com/org"})
	if problem != "" || remoteRoot("apps/qa/"+place+"/kustomization.yaml") != "apps/qa/"+strings.TrimSuffix(place, "/a") {
		t.Fatalf("got %s, %s", place, problem)
	}
	got := readable("no '/repository/apps/qa/" + place + "/b.yaml': " + place)
	want := "no 'https://github.com/org/repo//a/b.yaml?ref=" + id + "': " + url
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
