package main

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

const maxOutput = 10 << 20

// renderDirectory reads every file of a plain folder, in the order given.
func renderDirectory(entries []foundEntry) ([]string, []string, error) {
	set := newObjectSet()
	for _, entry := range entries {
		text, err := entry.content()
		if err != nil {
			return nil, nil, err
		}
		documents, warnings, err := decodeDocuments(entry.Path, text)
		if err != nil {
			return nil, nil, err
		}
		set.warnings = append(set.warnings, warnings...)
		for _, d := range documents {
			if err := set.add(d, defaults{}); err != nil {
				return nil, nil, err
			}
		}
	}
	return set.objects, set.warnings, nil
}

// decodeOnly gives the documents of files as Kubernetes reads them, whatever they are.
func decodeOnly(entries []foundEntry) ([]string, []string, error) {
	var texts, warnings []string
	for _, entry := range entries {
		content, err := entry.content()
		if err != nil {
			return nil, nil, err
		}
		documents, found, err := decodeDocuments(entry.Path, content)
		if err != nil {
			return nil, nil, err
		}
		warnings = append(warnings, found...)
		for _, d := range documents {
			text, err := canonical(d.value)
			if err != nil {
				return nil, nil, err
			}
			texts = append(texts, text)
		}
	}
	return texts, warnings, nil
}

// objectSet gathers the objects of one application and holds them to the rules that every object must keep.
type objectSet struct {
	objects  []string
	warnings []string
	size     int
	origins  map[string]document
}

func newObjectSet() *objectSet { return &objectSet{origins: map[string]document{}} }

// defaults are what an item of a typed list (a ConfigMapList, say) may leave out.
type defaults struct{ apiVersion, kind string }

func (s *objectSet) add(d document, missing defaults) error {
	object, ok := d.value.(map[string]any)
	if !ok {
		return failure(d.file, d.line, "the document is %s, not an object", typeName(d.value))
	}
	if _, given := object["kind"]; !given && missing.kind != "" {
		object["apiVersion"], object["kind"] = missing.apiVersion, missing.kind
	}
	apiVersion, err := requiredText(d, object, "apiVersion", "apiVersion")
	if err != nil {
		return err
	}
	kind, err := requiredText(d, object, "kind", "kind")
	if err != nil {
		return err
	}
	if items, isList := object["items"].([]any); isList && strings.HasSuffix(kind, "List") {
		itemKind := defaults{apiVersion: apiVersion, kind: strings.TrimSuffix(kind, "List")}
		for _, item := range items {
			if err := s.add(document{value: item, file: d.file, line: d.line}, itemKind); err != nil {
				return err
			}
		}
		return nil
	}
	return s.addObject(d, object, apiVersion, kind)
}

func (s *objectSet) addObject(d document, object map[string]any, apiVersion, kind string) error {
	metadata, ok := object["metadata"].(map[string]any)
	if !ok {
		return failure(d.file, d.line, "%s has no metadata: give it a metadata.name", kind)
	}
	name, err := nameOf(d, object, metadata, kind)
	if err != nil {
		return err
	}
	namespace := ""
	if value, given := metadata["namespace"]; given && value != nil {
		if namespace, ok = value.(string); !ok {
			return failure(d.file, d.line, "%s %s: metadata.namespace is %s: quote it", kind, name, typeName(value))
		}
	}
	if err := checkTexts(d, metadata, kind+" "+name); err != nil {
		return err
	}
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group = ""
	}
	identity := strings.Join([]string{group, kind, namespace, name}, "\x00")
	if first, twice := s.origins[identity]; twice {
		return failure(d.file, d.line, "%s is there twice, here and in %s: remove one of the two", display(kind, namespace, name), place(first))
	}
	s.origins[identity] = document{file: d.file, line: d.line}
	s.dropServerFields(d, object, metadata, display(kind, namespace, name))
	text, err := canonical(object)
	if err != nil {
		return err
	}
	if s.size += len(text); s.size > maxOutput {
		return failure(d.file, d.line, "the objects take more than %d MiB", maxOutput>>20)
	}
	s.objects = append(s.objects, text)
	return nil
}

// nameOf is the object's name. A hook may leave it to each sync, by generateName: until then
// it is called by its content, so that two of them are told apart.
func nameOf(d document, object, metadata map[string]any, kind string) (string, error) {
	_, generated := metadata["generateName"]
	if !generated {
		return requiredText(d, metadata, "name", kind+" metadata.name")
	}
	if !isHook(metadata) {
		return "", failure(d.file, d.line, "%s has metadata.generateName, which gives a new object on every sync: use metadata.name", kind)
	}
	if metadata["name"] != nil {
		delete(metadata, "generateName")
		return requiredText(d, metadata, "name", kind+" metadata.name")
	}
	prefix, err := requiredText(d, metadata, "generateName", kind+" metadata.generateName")
	if err != nil {
		return "", err
	}
	text, err := canonical(object)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s%x", prefix, sha256.Sum256([]byte(text)))[:len(prefix)+8]
	metadata["name"] = name
	return name, nil
}

// isHook is true for an object that syncs run, in the words of Argo CD or Helm.
func isHook(metadata map[string]any) bool {
	annotations, _ := metadata["annotations"].(map[string]any)
	for _, name := range []string{"argocd.argoproj.io/hook", "helm.sh/hook"} {
		if text, _ := annotations[name].(string); text != "" {
			return true
		}
	}
	return false
}

// dropServerFields takes out what only the server may set: it would refuse it, or take it for a condition on the write.
func (s *objectSet) dropServerFields(d document, object, metadata map[string]any, name string) {
	var dropped []string
	drop := func(owner map[string]any, key, path string) {
		value, given := owner[key]
		if !given {
			return
		}
		delete(owner, key)
		if inner, isMap := value.(map[string]any); value != nil && !(isMap && len(inner) == 0) {
			dropped = append(dropped, path)
		}
	}
	drop(object, "status", "status")
	for _, key := range []string{"uid", "resourceVersion", "managedFields", "creationTimestamp", "generation"} {
		drop(metadata, key, "metadata."+key)
	}
	if len(dropped) > 0 {
		s.warnings = append(s.warnings, fmt.Sprintf("%s: %s: %s left out, only the server sets that", place(d), name, strings.Join(dropped, ", ")))
	}
}

// checkTexts refuses labels and annotations that are no text, which the server would refuse without naming the file.
func checkTexts(d document, metadata map[string]any, name string) error {
	for _, field := range []string{"labels", "annotations"} {
		switch values := metadata[field].(type) {
		case nil:
		case map[string]any:
			for key, value := range values {
				if _, isText := value.(string); !isText && value != nil {
					return failure(d.file, d.line, "%s: metadata.%s: the value of %q is %s, not text: quote it", name, field, key, typeName(value))
				}
			}
		default:
			return failure(d.file, d.line, "%s: metadata.%s is %s, not a map of texts", name, field, typeName(values))
		}
	}
	return nil
}

func requiredText(d document, owner map[string]any, key, path string) (string, error) {
	switch value := owner[key].(type) {
	case string:
		if value != "" {
			return value, nil
		}
	case nil:
	default:
		return "", failure(d.file, d.line, "%s is %s, not text: quote it", path, typeName(value))
	}
	return "", failure(d.file, d.line, "%s is missing", path)
}

func typeName(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	}
	return "a map"
}

func place(d document) string {
	if d.line == 0 {
		return d.file
	}
	return fmt.Sprintf("%s:%d", d.file, d.line)
}

func display(kind, namespace, name string) string {
	if namespace == "" {
		return kind + " " + name
	}
	return kind + " " + namespace + "/" + name
}
