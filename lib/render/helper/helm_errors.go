package main

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	// `execution error at (shop/templates/web.yaml:3:4): ...`, and the same of a parse error.
	placedError = regexp.MustCompile(`(?s)^(?:parse|execution) error (?:at|in) \(([^:()]+)(?::(\d+))?(?::\d+)?\): (.*)$`)
	// The first line of the trace of a template, and of one in it.
	tracedError = regexp.MustCompile(`^([^:\s]+):(\d+)(?::\d+)?$`)
	// One step of the chain that text/template writes where Helm leaves it as it is.
	chainedError  = regexp.MustCompile(`template: ([^:\s]+):(\d+)(?::\d+)?: executing "(?:[^"\\]|\\.)*" at <.*?>: `)
	unreadOutput  = regexp.MustCompile(`(?s)^YAML parse error on ([^:]+): (.*)$`)
	schemaPreface = "values don't meet the specifications of the schema(s) in the following chart(s):\n"
)

// secretPlaces are where errors of Helm and its libraries quote values.
var secretPlaces = []struct {
	quoting *regexp.Regexp
	quiet   string
}{
	{regexp.MustCompile(`(?s)(during tpl function execution for|cannot parse template) "(?:[^"\\]|\\.)*"`), "$1 a text"},
	{regexp.MustCompile("(?s)(!!\\w+) `[^`]*`"), "$1"},
	{regexp.MustCompile(`'(?:[^'\\]|\\.)*' (does not match pattern|is not valid)`), "the value $1"},
	{regexp.MustCompile(`(parsing|unable to cast|can't convert) "(?:[^"\\]|\\.)*"`), "$1 the value"},
	{regexp.MustCompile(`type mismatch on ([^:]+): .*`), "type mismatch on $1"},
}

func quiet(text string) string { return shortened(masked(text)) }

func masked(text string) string {
	for _, place := range secretPlaces {
		text = place.quoting.ReplaceAllString(text, place.quiet)
	}
	return strings.Join(strings.Fields(text), " ")
}

var (
	quotedValue = regexp.MustCompile("(\\w*) ?(?:\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)")
	// What functions of templates quote is a value, but after these words.
	namingWords = map[string]bool{"template": true, "key": true, "function": true}
)

// causeOf is the error of a function in a template, without the values in it.
func causeOf(text string) string {
	return shortened(quotedValue.ReplaceAllStringFunc(masked(text), func(quoted string) string {
		word := quotedValue.FindStringSubmatch(quoted)[1]
		if namingWords[word] {
			return quoted
		}
		return strings.TrimLeft(word+" a value", " ")
	}))
}

func shortened(text string) string {
	if len(text) > longestError {
		return strings.ToValidUTF8(text[:longestError], "") + "..."
	}
	return text
}

// explain turns an error of Helm into one that names the template and the line.
func (r *release) explain(err error) error {
	text := err.Error()
	if found := placedError.FindStringSubmatch(text); found != nil {
		line, _ := strconv.Atoi(found[2])
		return failure(r.place(found[1]), line, "%s", quiet(found[3]))
	}
	if found := unreadOutput.FindStringSubmatch(text); found != nil {
		return failure(r.place(found[1]), 0, "what the template gives cannot be read: %s", quiet(found[2]))
	}
	if rest, isSchema := strings.CutPrefix(text, schemaPreface); isSchema {
		return failure(r.path, 0, "the values do not fit values.schema.json: %s", quiet(rest))
	}
	first, rest, _ := strings.Cut(text, "\n")
	if found := tracedError.FindStringSubmatch(strings.TrimSpace(first)); found != nil {
		line, _ := strconv.Atoi(found[2])
		return failure(r.place(found[1]), line, "%s", causeOf(r.innermost(rest)))
	}
	return r.explainChain(masked(text))
}

// explainChain names the outermost template, which belongs to the chart, and the innermost cause.
func (r *release) explainChain(text string) error {
	steps := chainedError.FindAllStringSubmatchIndex(text, -1)
	if len(steps) == 0 {
		return failure(r.path, 0, "chart %s: %s", r.chart.Name(), shortened(text))
	}
	first, last := steps[0], steps[len(steps)-1]
	cause := text[last[1]:]
	name, line := text[first[2]:first[3]], text[first[4]:first[5]]
	if inner := text[last[2]:last[3]]; inner != name && inner != "gotpl" {
		cause += " (in " + r.place(inner) + ":" + text[last[4]:last[5]] + ")"
	}
	number, _ := strconv.Atoi(line)
	return failure(r.place(name), number, "%s", causeOf(cause))
}

// innermost gives the cause, and where it is when another template was called.
func (r *release) innermost(trace string) string {
	where, cause := "", ""
	for _, line := range strings.Split(trace, "\n") {
		line = strings.TrimSpace(line)
		if found := tracedError.FindStringSubmatch(line); found != nil {
			where, cause = " (in "+r.place(found[1])+":"+found[2]+")", ""
		} else if !strings.HasPrefix(line, "executing ") && line != "" {
			cause = strings.TrimSpace(cause + " " + line)
		}
	}
	return cause + where
}
