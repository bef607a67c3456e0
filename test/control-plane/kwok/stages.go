package main

import (
	_ "embed"
	"fmt"
	"strings"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/yaml"
)

// jq queries that yield the images whose tag contains a word.
const (
	brokenImage  = `.spec.containers.[] | .image | select( test( ":[^/]*broken" ) )`
	failingImage = `.spec.containers.[] | .image | select( test( ":[^/]*failing" ) )`
	endlessImage = `.spec.containers.[] | .image | select( test( ":[^/]*endless" ) )`
)

//go:embed pod-broken.yaml
var podBroken string

//go:embed pod-failing.yaml
var podFailing string

// stages is kwok's own set of fast stages, with these changes: a pod that has a
// broken image is not made ready, but waits in ImagePullBackOff; one with a
// failing image that is not restarted fails with exit code 1, be it a Job's or
// not; and a Job's pod with an endless image runs until it is deleted.
func stages() (string, error) {
	ready, err := without(podfast.DefaultPodReady, brokenImage)
	if err != nil {
		return "", fmt.Errorf("stage pod-ready: %w", err)
	}
	complete, err := without(podfast.DefaultPodComplete, failingImage, endlessImage)
	if err != nil {
		return "", fmt.Errorf("stage pod-complete: %w", err)
	}
	all := []string{nodefast.DefaultNodeInit, ready, podBroken, complete, podFailing, podfast.DefaultPodDelete}
	return strings.Join(all, "\n---\n"), nil
}

// without adds to a stage's selector that the queries must find nothing.
func without(stage string, queries ...string) (string, error) {
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
	for _, query := range queries {
		expressions = append(expressions, map[string]any{"key": query, "operator": "DoesNotExist"})
	}
	selector["matchExpressions"] = expressions
	text, err := yaml.Marshal(document)
	return string(text), err
}
