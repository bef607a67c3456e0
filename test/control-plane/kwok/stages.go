package main

import (
	_ "embed"
	"fmt"
	"strings"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/yaml"
)

// brokenImage is a jq query that yields the images whose tag contains "broken".
const brokenImage = `.spec.containers.[] | .image | select( test( ":[^/]*broken" ) )`

//go:embed pod-broken.yaml
var podBroken string

// stages is kwok's own set of fast stages, with one change: a pod that has a
// broken image is not made ready, but waits in ImagePullBackOff.
func stages() (string, error) {
	ready, err := without(podfast.DefaultPodReady, brokenImage)
	if err != nil {
		return "", fmt.Errorf("stage pod-ready: %w", err)
	}
	all := []string{nodefast.DefaultNodeInit, ready, podBroken, podfast.DefaultPodComplete, podfast.DefaultPodDelete}
	return strings.Join(all, "\n---\n"), nil
}

// without adds to a stage's selector that the query must find nothing.
func without(stage, query string) (string, error) {
	var document map[string]any
	if err := yaml.Unmarshal([]byte(stage), &document); err != nil {
		return "", err
	}
	spec, _ := document["spec"].(map[string]any)
	selector, _ := spec["selector"].(map[string]any)
	expressions, ok := selector["matchExpressions"].([]any)
	if !ok {
		return "", fmt.Errorf("no spec.selector.matchExpressions")
	}
	selector["matchExpressions"] = append(expressions, map[string]any{"key": query, "operator": "DoesNotExist"})
	text, err := yaml.Marshal(document)
	return string(text), err
}
