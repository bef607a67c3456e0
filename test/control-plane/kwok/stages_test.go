package main

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

type stage struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Selector struct {
			MatchExpressions []struct {
				Key      string `json:"key"`
				Operator string `json:"operator"`
			} `json:"matchExpressions"`
		} `json:"selector"`
	} `json:"spec"`
}

func parsed(t *testing.T) map[string]stage {
	t.Helper()
	text, err := stages()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]stage{}
	for _, document := range strings.Split(text, "\n---\n") {
		var one stage
		if err := yaml.Unmarshal([]byte(document), &one); err != nil {
			t.Fatal(err)
		}
		if one.APIVersion != "kwok.x-k8s.io/v1alpha1" || one.Kind != "Stage" {
			t.Errorf("%s %s is no stage", one.APIVersion, one.Kind)
		}
		found[one.Metadata.Name] = one
	}
	return found
}

func operatorOf(one stage, key string) string {
	for _, expression := range one.Spec.Selector.MatchExpressions {
		if expression.Key == key {
			return expression.Operator
		}
	}
	return ""
}

func TestTheStagesAreKwoksOwnAndThoseOfImagesThatDoNotRun(t *testing.T) {
	found := parsed(t)
	for _, name := range []string{"node-initialize", "pod-ready", "pod-broken", "pod-complete", "pod-failing", "pod-delete"} {
		if _, ok := found[name]; !ok {
			t.Errorf("no stage %s", name)
		}
	}
	if len(found) != 6 {
		t.Errorf("%d stages", len(found))
	}
}

func TestAPodWithABrokenImageIsNeverMadeReady(t *testing.T) {
	found := parsed(t)
	if operator := operatorOf(found["pod-ready"], brokenImage); operator != "DoesNotExist" {
		t.Errorf("pod-ready asks %q of a broken image", operator)
	}
	if operator := operatorOf(found["pod-broken"], brokenImage); operator != "Exists" {
		t.Errorf("pod-broken asks %q of a broken image", operator)
	}
}

func TestAPodWithAFailingOrEndlessImageNeverCompletes(t *testing.T) {
	found := parsed(t)
	for _, image := range []string{failingImage, endlessImage} {
		if operator := operatorOf(found["pod-complete"], image); operator != "DoesNotExist" {
			t.Errorf("pod-complete asks %q of %s", operator, image)
		}
	}
	if operator := operatorOf(found["pod-failing"], failingImage); operator != "Exists" {
		t.Errorf("pod-failing asks %q of a failing image", operator)
	}
}

func TestAStageWithoutASelectorIsAnError(t *testing.T) {
	if _, err := without("kind: Stage", brokenImage); err == nil {
		t.Error("no error")
	}
}
