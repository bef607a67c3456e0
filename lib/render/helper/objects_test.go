package main

import (
	"errors"
	"strings"
	"testing"
)

func TestRefusalsOfObjects(t *testing.T) {
	cases := []struct {
		text, message string
		line          int
	}{
		{"- 1\n", "the document is a list, not an object", 1},
		{"kind: A\nmetadata: {name: a}\n", "apiVersion is missing", 1},
		{"# c\n\napiVersion: v1\nmetadata: {name: a}\n", "kind is missing", 3},
		{"apiVersion: v1\nkind: A\n", "has no metadata", 1},
		{"apiVersion: v1\nkind: A\nmetadata: {name: 12}\n", "metadata.name is a number, not text", 1},
		{"apiVersion: v1\nkind: A\nmetadata: {generateName: a-}\n", "generateName", 1},
		{"apiVersion: v1\nkind: A\nmetadata: {generateName: a-, name: b}\n", "generateName", 1},
		{"apiVersion: v1\nkind: A\nmetadata: {generateName: 1, annotations: {helm.sh/hook: test}}\n", "metadata.generateName is a number", 1},
		{aHook + "---\n" + aHook, "there twice, here and in x.yaml:1", 3},
		{"apiVersion: v1\nkind: A\nmetadata: {name: a, labels: {x: true}}\n", "the value of \"x\" is a boolean", 1},
		{configMap + "---\n" + configMap, "there twice, here and in x.yaml:1", 8},
	}
	for _, c := range cases {
		_, _, err := renderDirectory([]foundEntry{{Path: "x.yaml", Text: c.text}})
		var refused *renderError
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, c.message) || refused.Line != c.line {
			t.Errorf("%q: got %+v", c.text, err)
		}
	}
}

const aHook = "{apiVersion: batch/v1, kind: Job, metadata: {generateName: run-, annotations: {argocd.argoproj.io/hook: PreSync}}}\n"

func TestAHookMayLeaveItsNameToEachSync(t *testing.T) {
	other := strings.Replace(aHook, "PreSync", "PostSync", 1)
	named := strings.Replace(aHook, "{generateName", "{name: a, generateName", 1)
	objects, _, err := renderDirectory([]foundEntry{{Path: "x.yaml", Text: aHook + "---\n" + other + "---\n" + named}})
	if err != nil {
		t.Fatal(err)
	}
	hook := func(phase, names string) string {
		return `{"apiVersion":"batch/v1","kind":"Job","metadata":{"annotations":{"argocd.argoproj.io/hook":"` + phase + `"},` + names + `}}`
	}
	want := []string{
		hook("PreSync", `"generateName":"run-","name":"run-b4f9ecc0"`),
		hook("PostSync", `"generateName":"run-","name":"run-e0211f6d"`),
		hook("PreSync", `"name":"a"`),
	}
	if got := strings.Join(objects, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got %s", got)
	}
}

func TestListsAreUnwrapped(t *testing.T) {
	text := "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - metadata: {name: a}\n- " +
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n"
	objects, _, err := renderDirectory([]foundEntry{{Path: "x.yaml", Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}} {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}`
	if got := strings.Join(objects, " "); got != want {
		t.Errorf("got %s", got)
	}
}

func TestServerFieldsAreLeftOut(t *testing.T) {
	text := "apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: x, creationTimestamp: null, resourceVersion: '1'}\nstatus: {phase: Running}\n"
	objects, warnings, err := renderDirectory([]foundEntry{{Path: "x.yaml", Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 1 || objects[0] != `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}` {
		t.Errorf("got %q", objects)
	}
	want := "x.yaml:1: Pod a: status, metadata.uid, metadata.resourceVersion left out, only the server sets that"
	if len(warnings) != 1 || warnings[0] != want {
		t.Errorf("got %q", warnings)
	}
}
