package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

const steadyAdvice = "the chart shows a random value or the time there, so that every sync would change it; give it a fixed value"

// refuseDifference names the object that came out differently in two renders. A comment may differ.
func (r *release) refuseDifference(first, second map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(first)) {
		if first[name] == second[name] {
			continue
		}
		one, err := r.identified(name, first[name])
		if err != nil {
			return err
		}
		other, err := r.identified(name, second[name])
		if err != nil {
			return err
		}
		for _, identity := range slices.Sorted(maps.Keys(one)) {
			again, found := other[identity]
			if !found {
				return failure(r.place(name), 0, "%s is there in one render and not in the next: %s", identity, steadyAdvice)
			}
			if field, differs := difference(one[identity], again, ""); differs {
				return failure(r.place(name), 0, "%s comes out differently each time, at %s: %s", identity, field, steadyAdvice)
			}
		}
		if len(other) > len(one) {
			return failure(r.place(name), 0, "the number of objects is another each time: %s", steadyAdvice)
		}
	}
	return nil
}

func (r *release) identified(name, text string) (map[string]any, error) {
	documents, _, err := decodeDocuments(r.place(name), []byte(text))
	if err != nil {
		return nil, withoutLine(err)
	}
	found := map[string]any{}
	for _, d := range documents {
		object, _ := d.value.(map[string]any)
		metadata, _ := object["metadata"].(map[string]any)
		kind, _ := object["kind"].(string)
		namespace, _ := metadata["namespace"].(string)
		called, _ := metadata["name"].(string)
		found[display(kind, namespace, called)] = d.value
	}
	return found, nil
}

// difference gives the path of the first field, by name, that is not the same.
func difference(one, other any, at string) (string, bool) {
	switch one := one.(type) {
	case map[string]any:
		if other, same := other.(map[string]any); same {
			return differenceOfMaps(one, other, at)
		}
	case []any:
		if other, same := other.([]any); same && len(one) == len(other) {
			for i := range one {
				if field, differs := difference(one[i], other[i], at+"["+strconv.Itoa(i)+"]"); differs {
					return field, true
				}
			}
			return "", false
		}
	default:
		if one == other {
			return "", false
		}
	}
	return at, true
}

func differenceOfMaps(one, other map[string]any, at string) (string, bool) {
	keys := maps.Clone(one)
	maps.Copy(keys, other)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		left, inOne := one[key]
		right, inOther := other[key]
		field := strings.TrimPrefix(at+"."+key, ".")
		if inOne != inOther {
			return field, true
		}
		if field, differs := difference(left, right, field); differs {
			return field, true
		}
	}
	return "", false
}
