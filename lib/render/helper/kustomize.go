package main

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// building guards Kustomize's schema, which is global to the process.
var building sync.Mutex

// kustomizeJob is one application to build.
type kustomizeJob struct {
	folder string
	// options are laid over the kustomization in the folder; nil when there are none.
	options *kustomizeOptions
	// remoteBases are beginnings of URLs of remote bases that are allowed.
	remoteBases []string
}

// kustomizeBuild is a job whose files are at hand.
type kustomizeBuild struct {
	*discovery
	files *commitFiles
	job   kustomizeJob
}

// renderKustomization builds a folder as `kubectl kustomize` does, and reads the result as kubectl would.
// It tells when it has to stand in line for that, and when its turn comes.
func renderKustomization(files *commitFiles, job kustomizeJob, inLine func(waiting bool)) ([]string, []string, error) {
	objects, warnings, err := renderJob(files, job, inLine)
	if err != nil {
		shown := *asRenderError(err)
		shown.File, shown.Message = readable(shown.File), readable(shown.Message)
		return nil, nil, &shown
	}
	for i, warning := range warnings {
		warnings[i] = readable(warning)
	}
	return objects, warnings, nil
}

func renderJob(files *commitFiles, job kustomizeJob, inLine func(waiting bool)) ([]string, []string, error) {
	if len(files.kustomizationsIn(job.folder)) == 0 {
		return nil, nil, failure(job.folder, 0, "kustomize: the folder has no kustomization.yaml: add one, or take the options away")
	}
	found, err := files.discover(job)
	if err != nil {
		return nil, nil, err
	}
	build := &kustomizeBuild{discovery: found, files: files, job: job}
	manifests, err := build.inTurn(inLine)
	if err != nil {
		return nil, nil, err
	}
	set := newObjectSet()
	set.warnings = append(set.warnings, found.warnings...)
	for _, manifest := range manifests {
		documents, warnings, err := decodeDocuments(files.kustomizationOf(job.folder), manifest)
		if err != nil {
			return nil, nil, err
		}
		// Lines here are lines of what Kustomize wrote: nobody has that file.
		set.warnings = append(set.warnings, withoutLines(warnings)...)
		for _, d := range documents {
			d.line = 0
			if err := set.add(d, defaults{}); err != nil {
				return nil, nil, err
			}
		}
	}
	return set.objects, set.warnings, nil
}

// inTurn builds once nobody else does, and says what is wrong in words of the files and options.
func (b *kustomizeBuild) inTurn(inLine func(waiting bool)) ([][]byte, error) {
	if !building.TryLock() {
		inLine(true)
		building.Lock()
		inLine(false)
	}
	defer building.Unlock()
	resources, err := b.run()
	if err != nil {
		return nil, b.explain(err)
	}
	if err := b.unmatchedTarget(); err != nil {
		return nil, err
	}
	var manifests [][]byte
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, text)
	}
	return manifests, nil
}

func (b *kustomizeBuild) run() (resmap.ResMap, error) {
	if b.usesSchema {
		// As in a fresh process: neither what earlier builds loaded, nor this schema in later builds.
		openapi.ResetOpenAPI()
		defer openapi.ResetOpenAPI()
	}
	kustomizer := krusty.MakeKustomizer(&krusty.Options{
		Reorder:          krusty.ReorderOptionUnspecified, // kubectl's: the legacy order, unless sortOptions says otherwise
		LoadRestrictions: types.LoadRestrictionsRootOnly,
		PluginConfig:     types.DisabledPluginConfig(),
	})
	return kustomizer.Run(b.files, path.Join(root, b.job.folder))
}

func (c *commitFiles) kustomizationOf(folder string) string {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if file := path.Join(folder, name); c.known(file).kind == isFile {
			return file
		}
	}
	return folder
}

var (
	// Where Kustomize quotes what may be secret: the configuration of a generator, literals, lines of env files.
	configText   = regexp.MustCompile("(?s) with config: `.*`")
	literalText  = regexp.MustCompile(`(?s)literal sources \[.*, expected key=value`)
	envLine      = regexp.MustCompile(`(?s)line \[[\d ]*\] (has invalid utf8 bytes) : .*`)
	patchText    = regexp.MustCompile(`(?s)unable to parse SM or JSON patch from \[.*\]`)
	malformed    = regexp.MustCompile(`MalformedYAMLError: (?:yaml: )?(?:line (\d+): )?(.*?) in File: ([^\s:']+)`)
	warningLine  = regexp.MustCompile(`:\d+: `)
	longestError = 600
)

// explain turns an error of Kustomize into one that names the file, or the option. Kustomize quotes whole generators and
// patches, with the secrets in them: that goes.
func (b *kustomizeBuild) explain(err error) error {
	if b.files.failed != nil {
		return b.files.failed
	}
	if problem := b.files.problem(b.references); problem != nil {
		return problem
	}
	text := configText.ReplaceAllString(err.Error(), "")
	text = literalText.ReplaceAllString(text, "a literal that is not key=value")
	text = envLine.ReplaceAllString(text, "a line $1")
	text = patchText.ReplaceAllString(text, "the text of a patch is neither a strategic merge patch nor a JSON patch")
	text = strings.ReplaceAll(strings.ReplaceAll(text, root+"/", ""), root, "the repository's root")
	text = strings.Join(strings.Fields(text), " ")
	file, line := b.files.kustomizationOf(b.job.folder), 0
	if found := malformed.FindStringSubmatch(text); found != nil {
		file, text = fileNamed(found[3], b.references, file), found[2]
		line, _ = strconv.Atoi(found[1])
	} else if option := b.blamed(); option != "" {
		file, text = b.job.folder, optionPrefix+option+": "+text
	}
	if len(text) > longestError {
		text = strings.ToValidUTF8(text[:longestError], "") + "..."
	}
	return failure(file, line, "%s", text)
}

// fileNamed finds the path that a kustomization wrote as text, when only one can be meant.
func fileNamed(text string, references []reference, otherwise string) string {
	found := ""
	for _, r := range references {
		if r.text == text && found != "" && found != r.path {
			return otherwise
		}
		if r.text == text {
			found = r.path
		}
	}
	if found == "" {
		return otherwise
	}
	return found
}

func withoutLines(warnings []string) []string {
	for i, warning := range warnings {
		warnings[i] = warningLine.ReplaceAllString(warning, ": ")
	}
	return warnings
}
