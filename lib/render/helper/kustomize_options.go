package main

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
)

// lay sets an application's options in its kustomization, as `kustomize edit` would.
func (k *kustomization) lay(job kustomizeJob) error {
	options, at := job.options, func(option, format string, args ...any) error {
		return failure(job.folder, 0, "kustomize.%s: "+format, append([]any{option}, args...)...)
	}
	for _, field := range []struct {
		text string
		into *string
	}{{options.NamePrefix, &k.NamePrefix}, {options.NameSuffix, &k.NameSuffix}, {options.Namespace, &k.Namespace}} {
		if field.text != "" {
			*field.into = field.text
		}
	}
	k.CommonLabels = withTexts(k.CommonLabels, options.CommonLabels)
	k.CommonAnnotations = withTexts(k.CommonAnnotations, options.CommonAnnotations)
	if err := k.layImages(options.Images); err != nil {
		return at("images", "%s", err)
	}
	if err := k.layReplicas(options.Replicas); err != nil {
		return at("replicas", "%s", err)
	}
	k.Components = append(k.Components, options.Components...)
	for i, p := range options.Patches {
		patch := types.Patch{Patch: p.Patch}
		if len(p.Target) > 0 {
			target, err := selectorOf(p.Target)
			if err != nil {
				return at(fmt.Sprintf("patches[%d].target", i), "%s", err)
			}
			patch.Target = target
		}
		k.Patches = append(k.Patches, patch)
	}
	k.edited = true
	return nil
}

func withTexts(own, laid map[string]string) map[string]string {
	if len(laid) == 0 {
		return own
	}
	all := maps.Clone(own)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, laid)
	return all
}

// layImages replaces what the kustomization says of the same images; the list is then in the order of names, as `kustomize
// edit set image` leaves it.
func (k *kustomization) layImages(texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	images := map[string]types.Image{}
	for _, own := range append(slices.Clone(k.Images), k.ImageTags...) {
		images[own.Name] = own
	}
	laid := map[string]bool{}
	for _, text := range texts {
		image, err := parseImage(text)
		if err != nil {
			return err
		}
		if laid[image.Name] {
			return fmt.Errorf("%s is there twice: keep one", image.Name)
		}
		laid[image.Name] = true
		own := images[image.Name]
		for _, part := range []struct{ laid, own *string }{
			{&image.NewName, &own.NewName}, {&image.NewTag, &own.NewTag}, {&image.Digest, &own.Digest},
		} {
			if *part.laid == keepOwn {
				*part.laid = *part.own
			}
		}
		images[image.Name] = image
	}
	k.Images, k.ImageTags = nil, nil
	for _, name := range slices.Sorted(maps.Keys(images)) {
		k.Images = append(k.Images, images[name])
	}
	return nil
}

// keepOwn in the place of a name, tag or digest keeps that of the kustomization.
const keepOwn = "*"

var (
	imageName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:-]*$`)
	imageTag    = regexp.MustCompile(`^(?:\*|[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$`)
	imageDigest = regexp.MustCompile(`^(?:\*|[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9A-Fa-f]{32,})$`)
)

// parseImage reads NAME=NEW:TAG, NAME=NEW@DIGEST, NAME=NEW, NAME:TAG or NAME@DIGEST.
func parseImage(text string) (types.Image, error) {
	name, value, renamed := strings.Cut(text, "=")
	if !renamed {
		value = text
	}
	value, digest, hasDigest := strings.Cut(value, "@")
	newName, tag := value, ""
	at := strings.LastIndex(value, ":")
	hasTag := at > strings.LastIndex(value, "/")
	if hasTag {
		newName, tag = value[:at], value[at+1:]
	}
	image := types.Image{Name: name, NewName: newName, NewTag: tag, Digest: digest}
	if !renamed {
		image.Name, image.NewName = newName, ""
	}
	named := imageName.MatchString(image.Name) && (newName == keepOwn && renamed || imageName.MatchString(newName))
	tagged := (!hasTag || imageTag.MatchString(tag)) && (!hasDigest || imageDigest.MatchString(digest))
	if !named || !tagged || !(renamed || hasTag || hasDigest) {
		return image, fmt.Errorf("%q is no image: write NAME=NEW:TAG, NAME:TAG or NAME@DIGEST", text)
	}
	return image, nil
}

func (k *kustomization) layReplicas(replicas []kustomizeReplica) error {
	laid := map[string]bool{}
	for _, r := range replicas {
		if laid[r.Name] {
			return fmt.Errorf("%s is there twice: keep one", r.Name)
		}
		laid[r.Name] = true
		k.Replicas = slices.DeleteFunc(k.Replicas, func(own types.Replica) bool { return own.Name == r.Name })
		k.Replicas = append(k.Replicas, types.Replica{Name: r.Name, Count: r.Count})
	}
	return nil
}

func selectorOf(target map[string]string) (*types.Selector, error) {
	var s types.Selector
	fields := map[string]*string{
		"group": &s.Group, "version": &s.Version, "kind": &s.Kind, "name": &s.Name, "namespace": &s.Namespace,
		"labelSelector": &s.LabelSelector, "annotationSelector": &s.AnnotationSelector,
	}
	for _, key := range slices.Sorted(maps.Keys(target)) {
		into, known := fields[key]
		if !known {
			return nil, fmt.Errorf("%q is no field of a target: write %s", key, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		}
		*into = target[key]
	}
	_, err := types.NewSelectorRegex(&s)
	return &s, err
}

// unmatchedTarget tells of the first patch whose target selects nothing, which Kustomize passes over in silence.
func (b *kustomizeBuild) unmatchedTarget() error {
	options := b.job.options
	if options == nil || !slices.ContainsFunc(options.Patches, func(p kustomizePatch) bool { return len(p.Target) > 0 }) {
		return nil
	}
	// What the patches see: what comes after them would only change names and labels.
	seen, err := b.runWith(func(o *kustomizeOptions) { o.Patches = nil }, func(k *types.Kustomization) {
		k.NamePrefix, k.NameSuffix, k.Namespace, k.Images, k.Replicas = "", "", "", nil, nil
		k.Labels, k.CommonLabels, k.CommonAnnotations, k.PatchesJson6902 = nil, nil, nil, nil
		k.Replacements, k.Transformers, k.Validators, k.Vars = nil, nil, nil, nil
	})
	if err != nil {
		return nil // the whole build has passed
	}
	for i, p := range options.Patches {
		selector, err := selectorOf(p.Target)
		if err != nil || len(p.Target) == 0 {
			continue
		}
		if matches, err := seen.Select(*selector); err == nil && len(matches) == 0 {
			return failure(b.job.folder, 0, "kustomize.patches[%d]: its target selects no object: %s", i, inWords(p.Target))
		}
	}
	return nil
}

func inWords(target map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(target)) {
		parts = append(parts, key+" "+target[key])
	}
	return strings.Join(parts, ", ")
}

// blamed finds the option without which a failed build passes; "" when it is none.
func (b *kustomizeBuild) blamed() string {
	if b.job.options == nil || b.top == nil {
		return ""
	}
	for _, option := range []struct {
		name string
		drop func(*kustomizeOptions)
	}{
		{"patches", func(o *kustomizeOptions) { o.Patches = nil }},
		{"replicas", func(o *kustomizeOptions) { o.Replicas = nil }},
		{"components", func(o *kustomizeOptions) { o.Components = nil }},
		{"images", func(o *kustomizeOptions) { o.Images = nil }},
		{"commonLabels", func(o *kustomizeOptions) { o.CommonLabels = nil }},
		{"commonAnnotations", func(o *kustomizeOptions) { o.CommonAnnotations = nil }},
		{"namespace, namePrefix and nameSuffix", func(o *kustomizeOptions) { o.Namespace, o.NamePrefix, o.NameSuffix = "", "", "" }},
	} {
		without := *b.job.options
		option.drop(&without)
		if reflect.DeepEqual(&without, b.job.options) {
			continue
		}
		if _, err := b.runWith(option.drop, nil); err == nil {
			return option.name
		}
	}
	return ""
}

// runWith builds with other options, and changes to the kustomization.
func (b *kustomizeBuild) runWith(other func(*kustomizeOptions), change func(*types.Kustomization)) (resmap.ResMap, error) {
	written := b.files.known(b.top.file)
	defer func() { b.files.entries[b.files.real(b.top.file)] = written }()
	job, options := b.job, *b.job.options
	other(&options)
	job.options = &options
	k, err := readKustomization(b.top.file, b.top.content)
	if err != nil {
		return nil, err
	}
	if err := k.lay(job); err != nil {
		return nil, err
	}
	if _, err := k.references(job); err != nil {
		return nil, err
	}
	if change != nil {
		change(&k.Kustomization)
	}
	if err := b.files.replace(b.top.file, k); err != nil {
		return nil, err
	}
	return b.run()
}
