package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// openedFiles are the files of a job that were decrypted, and the values in them, which no text for people may quote.
type openedFiles struct {
	paths  map[string]bool
	values []string
}

// publicPlace is where a value names an object, as everybody sees it in the cluster.
var publicPlace = regexp.MustCompile(`^(?:apiVersion|kind|type|metadata:(?:name|namespace|labels:.*)):$`)

func (o *openedFiles) add(file string) {
	if o.paths == nil {
		o.paths = map[string]bool{}
	}
	o.paths[file] = true
}

func (o *openedFiles) remember(place string, value any) {
	if _, isFlag := value.(bool); isFlag || publicPlace.MatchString(place) {
		return
	}
	text := fmt.Sprint(value)
	o.values = append(o.values, flattened(text), flattened(base64.StdEncoding.EncodeToString([]byte(text))))
	if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
		o.values = append(o.values, flattened(string(decoded)))
	}
}

// flattened takes out what errors change of a text that they quote.
func flattened(text string) string {
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}

const (
	// window is how many bytes in a row a text must share with a value to count as quoting it; YAML readers quote seven.
	window = 6
	// shortest is the least length of a value that is looked for as a word.
	shortest = 3
)

// quotedIn tells whether a text holds a decrypted value, or a piece of one.
func (o *openedFiles) quotedIn(text string) bool {
	text = flattened(text + asText(text))
	pieces := map[string]bool{}
	for i := 0; i+window <= len(text); i++ {
		pieces[text[i:i+window]] = true
	}
	words := map[string]bool{}
	for _, word := range notWord.Split(text, -1) {
		words[word] = true
	}
	for _, value := range o.values {
		if len(value) >= shortest && len(value) < window && (words[value] || notWord.MatchString(value) && strings.Contains(text, value)) {
			return true
		}
		for i := 0; i+window <= len(value); i++ {
			if pieces[value[i:i+window]] {
				return true
			}
		}
	}
	return false
}

// asText gives bytes that are written as a list of numbers, as Go prints them, the text that they are.
func asText(text string) string {
	var found strings.Builder
	for _, list := range byteList.FindAllString(text, -1) {
		for _, number := range strings.Fields(strings.Trim(list, "[]")) {
			value, _ := strconv.Atoi(number)
			found.WriteByte(byte(value))
		}
		found.WriteByte(' ')
	}
	return found.String()
}

var byteList = regexp.MustCompile(`\[\d{1,3}(?: \d{1,3})+\]`)

var notWord = regexp.MustCompile(`[^\pL\pN]+`)

const quoting = "what is wrong cannot be told, for it quotes decrypted values: decrypt the files with `sops decrypt` and render them with the tool itself"

// quietError keeps decrypted values out of an error, and lines that count in no file that anybody has. A file that could
// not be opened is the reason for whatever came after it.
func (j *job) quietError(err error) *renderError {
	if j.closed != nil {
		return j.closed
	}
	problem := *asRenderError(err)
	if j.opened.paths == nil && j.opened.values == nil {
		return &problem
	}
	if j.opened.quotedIn(problem.Message) {
		problem.Message = quoting
	}
	if j.opened.paths[problem.File] && problem.Line > 0 {
		problem.Message = fmt.Sprintf("line %d of what it holds decrypted: %s", problem.Line, problem.Message)
		problem.Line = 0
	}
	return &problem
}

func (j *job) quietWarnings(warnings []string) []string {
	if j.opened.values == nil {
		return warnings
	}
	var kept []string
	for _, warning := range warnings {
		if !j.opened.quotedIn(warning) {
			kept = append(kept, warning)
		}
	}
	if left := len(warnings) - len(kept); left > 0 {
		kept = append(kept, fmt.Sprintf("%d warnings are left out, for they quote decrypted values", left))
	}
	return kept
}

// refuseEncrypted keeps values that are still encrypted out of the cluster, however they got into an object.
func refuseEncrypted(objects []string) error {
	for _, text := range objects {
		if !strings.Contains(text, encryptedValue) && !strings.Contains(text, encryptedValueInBase64) {
			continue
		}
		var object struct {
			Kind     string
			Metadata struct{ Name, Namespace string }
			Data     map[string]any
			Strings  map[string]any `json:"stringData"`
			Sops     struct{ Mac string }
		}
		if json.Unmarshal([]byte(text), &object) != nil || object.Kind == decryptedInCluster {
			continue
		}
		encrypted := object.Sops.Mac != ""
		for _, values := range []map[string]any{object.Data, object.Strings} {
			for _, value := range values {
				value, _ := value.(string)
				encrypted = encrypted || object.Kind == "Secret" && (strings.HasPrefix(value, encryptedValue) || strings.HasPrefix(value, encryptedValueInBase64))
			}
		}
		if encrypted {
			name := display(object.Kind, object.Metadata.Namespace, object.Metadata.Name)
			return failure("", 0, "%s would be applied encrypted: its file has values that SOPS encrypted, but not the metadata to decrypt them: encrypt the whole file by `sops encrypt`", name)
		}
	}
	return nil
}

var encryptedValueInBase64 = base64.StdEncoding.EncodeToString([]byte(encryptedValue))
