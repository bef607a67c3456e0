package main

import (
	"slices"
	"testing"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// What Sprig itself says depends on more than its arguments is replaced, is taken away by Helm, or never comes out the
// same twice. A new function of a new Sprig has to be looked at.
func TestEveryFunctionOfChanceAndTimeIsReplaced(t *testing.T) {
	known := []string{
		"date_modify", "dateModify", // of a date that is given
		"env", "expandenv", "getHostByName", // taken away
		"uuidv4",
	}
	replaced := look{clock: time.Now()}.functions()
	hermetic := sprig.HermeticTxtFuncMap()
	for name := range sprig.TxtFuncMap() {
		_, pure := hermetic[name]
		_, ours := replaced[name]
		if !pure && !ours && !slices.Contains(known, name) {
			t.Errorf("%s depends on more than its arguments", name)
		}
	}
}

func TestTheTwoLooksDrawFromDifferentHalves(t *testing.T) {
	first, second := look{}, look{second: true}
	for _, alphabet := range []string{digits, letters, digits + letters, asciiText()} {
		one, err := first.draw(200, alphabet)
		if err != nil {
			t.Fatal(err)
		}
		other, _ := second.draw(200, alphabet)
		for _, letter := range one {
			if slices.Contains([]rune(other), letter) {
				t.Fatalf("%q can be drawn in both looks", letter)
			}
		}
	}
}

func TestHelmignoreTakesFoldersWithAllThatIsInThem(t *testing.T) {
	file := func(name, text string) foundEntry { return foundEntry{Path: "app/" + name, Type: isFile, Text: text} }
	files, err := chartFolder("app", []foundEntry{
		file(".helmignore", "ci/\n*.bak\n/top\n"), file("z.yaml", ""), file("ci/a/b.yaml", ""), file("a.bak", ""),
		file("top", ""), file("sub/top", ""), file("templates/.x.yaml", ""), file("a-b.yaml", ""), file("a/b.yaml", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if want := []string{".helmignore", "a/b.yaml", "a-b.yaml", "sub/top", "z.yaml"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}
