package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// valuesOf lays values over each other as `helm template` does: files, values, `--set`, `--set-string`.
func valuesOf(files []foundEntry, options helmOptions) (map[string]any, error) {
	values := map[string]any{}
	for _, file := range files {
		content, err := file.content()
		if err != nil {
			return nil, err
		}
		read, err := loader.LoadValues(bytes.NewReader(content))
		if err != nil {
			return nil, valueFileError(file.Path, err)
		}
		values = loader.MergeMaps(values, read)
	}
	if len(options.Values) > 0 {
		// Every number becomes a float64 here, as it does where Helm reads a file.
		var own map[string]any
		if err := json.Unmarshal(options.Values, &own); err != nil {
			return nil, failure("", 0, "the values are not a map: %v", err)
		}
		values = loader.MergeMaps(values, own)
	}
	return values, setParameters(values, options.Parameters)
}

func valueFileError(file string, err error) *renderError {
	line := 0
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		line, _ = strconv.Atoi(found[1])
	}
	return failure(file, line, "the values cannot be read: %s", quiet(err.Error()))
}

var quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

func setParameters(values map[string]any, parameters []helmParameter) error {
	for _, forceString := range []bool{false, true} {
		parse := strvals.ParseInto
		if forceString {
			parse = strvals.ParseIntoString
		}
		for _, p := range parameters {
			if p.ForceString != forceString {
				continue
			}
			if err := parse(p.Name+"="+p.Value, values); err != nil {
				reason := quotedText.ReplaceAllString(err.Error(), "…")
				return failure("", 0, `parameter %s cannot be read as --set reads it: %s (a comma in a value is written \,)`, p.Name, reason)
			}
		}
	}
	return nil
}

// refuseForeignSchemas refuses a values.schema.json that names other files or addresses: Helm would read them.
func (r *release) refuseForeignSchemas(c *chart.Chart) error {
	if len(c.Schema) > 0 {
		foreign := &foreignSchemas{}
		if schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(c.Schema)); err == nil {
			compiler := jsonschema.NewCompiler()
			compiler.UseLoader(foreign)
			if err := compiler.AddResource("file:///values.schema.json", schema); err == nil {
				_, _ = compiler.Compile("file:///values.schema.json")
			}
		}
		if foreign.asked != "" {
			return failure(r.place(c.ChartFullPath()+"/values.schema.json"), 0,
				"the schema refers to %s: a render reads the chart only; put that schema into this file", foreign.asked)
		}
	}
	for _, subchart := range c.Dependencies() {
		if err := r.refuseForeignSchemas(subchart); err != nil {
			return err
		}
	}
	return nil
}

// foreignSchemas loads nothing, and keeps what it was asked for. Helm takes a URN for "anything goes".
type foreignSchemas struct{ asked string }

func (f *foreignSchemas) Load(url string) (any, error) {
	if len(url) < 4 || url[:4] != "urn:" {
		f.asked = url
	}
	return true, nil
}
