package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/ignore"
)

const (
	maxChartSize  = 100 << 20 // Helm's own limit
	maxChartFiles = 20_000
	maxNesting    = 8
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// helmVersion is what charts read as .Capabilities.HelmVersion.Version.
var helmVersion = sync.OnceValue(func() string {
	if build, known := debug.ReadBuildInfo(); known {
		for _, module := range build.Deps {
			if module.Path == "helm.sh/helm/v4" {
				return module.Version
			}
		}
	}
	return "v4"
})

// loadChart reads a chart with Helm's own loader, and refuses what `helm template` would refuse to render.
func loadChart(job chartJob) (*chart.Chart, error) {
	files, err := job.files()
	if err != nil {
		return nil, err
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		return nil, failure(job.chartFile(), 0, "the chart cannot be read: %s", quiet(err.Error()))
	}
	sortSubcharts(loaded)
	metadata := loaded.Metadata
	if metadata.APIVersion != chart.APIVersionV1 && metadata.APIVersion != chart.APIVersionV2 {
		return nil, failure(job.chartFile(), 0, "apiVersion %s is not known: v1 and v2 are", metadata.APIVersion)
	}
	if metadata.Type != "" && metadata.Type != "application" {
		return nil, failure(job.chartFile(), 0, "a chart of type %s gives no objects: render a chart that uses it", metadata.Type)
	}
	return loaded, job.checkDependencies(loaded)
}

func (job chartJob) chartFile() string { return path.Join(job.path, "Chart.yaml") }

// files are those of the chart, as Helm would find them in a folder or an archive.
func (job chartJob) files() ([]*archive.BufferedFile, error) {
	limits := archiveLimits{size: maxChartSize, files: maxChartFiles}
	if job.archive == "" {
		files, err := chartFolder(job.path, job.entries)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if isSubchartArchive(file.Name) {
				if err := limits.check(file.Data, 1); err != nil {
					return nil, failure(path.Join(job.path, file.Name), 0, "%s", err.Error())
				}
			}
		}
		return files, nil
	}
	packed, err := base64.StdEncoding.DecodeString(job.archive)
	if err != nil {
		return nil, err
	}
	if err := limits.check(packed, 0); err != nil {
		return nil, failure(job.path, 0, "%s", err.Error())
	}
	files, err := archive.LoadArchiveFiles(bytes.NewReader(packed))
	if err != nil {
		return nil, failure(job.path, 0, "the archive is not a chart: %s", err.Error())
	}
	return files, nil
}

// chartFolder leaves out what .helmignore names, and keeps the order in which Helm walks a folder.
func chartFolder(folder string, entries []foundEntry) ([]*archive.BufferedFile, error) {
	rules := ignore.Empty()
	ignoreFile := path.Join(folder, ignore.HelmIgnore)
	for _, entry := range entries {
		if entry.Path != ignoreFile {
			continue
		}
		content, err := entry.content()
		if err == nil {
			rules, err = ignore.Parse(bytes.NewReader(content))
		}
		if err != nil {
			return nil, failure(ignoreFile, 0, "%s", err.Error())
		}
	}
	rules.AddDefaults()
	var files []*archive.BufferedFile
	for _, entry := range entries {
		name := entry.Path
		if folder != "" {
			name = strings.TrimPrefix(name, folder+"/")
		}
		if entry.Type != isFile || ignored(rules, name) {
			continue
		}
		content, err := entry.content()
		if err != nil {
			return nil, err
		}
		files = append(files, &archive.BufferedFile{Name: name, Data: bytes.TrimPrefix(content, byteOrderMark)})
	}
	slices.SortFunc(files, func(a, b *archive.BufferedFile) int {
		return slices.Compare(strings.Split(a.Name, "/"), strings.Split(b.Name, "/"))
	})
	return files, nil
}

// ignored tells whether a rule names the file or a folder above it.
func ignored(rules *ignore.Rules, name string) bool {
	for at, letter := range name {
		if letter == '/' && rules.Ignore(name[:at], namedEntry{name: name[:at], isDirectory: true}) {
			return true
		}
	}
	return rules.Ignore(name, namedEntry{name: name})
}

// namedEntry is as much of a file as the rules ask for.
type namedEntry struct {
	name        string
	isDirectory bool
}

func (n namedEntry) Name() string       { return path.Base(n.name) }
func (n namedEntry) Size() int64        { return 0 }
func (n namedEntry) Mode() fs.FileMode  { return 0 }
func (n namedEntry) ModTime() time.Time { return time.Time{} }
func (n namedEntry) IsDir() bool        { return n.isDirectory }
func (n namedEntry) Sys() any           { return nil }

// sortSubcharts gives subcharts an order of their own: Helm's loader leaves it to chance.
func sortSubcharts(c *chart.Chart) {
	subcharts := slices.Clone(c.Dependencies())
	slices.SortStableFunc(subcharts, func(a, b *chart.Chart) int {
		return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.Metadata.Version, b.Metadata.Version))
	})
	for _, subchart := range subcharts {
		sortSubcharts(subchart)
	}
	c.SetDependencies(subcharts...)
}

// checkDependencies refuses a chart whose subcharts are not all there: nothing is fetched for a render.
func (job chartJob) checkDependencies(c *chart.Chart) error {
	for _, wanted := range c.Metadata.Dependencies {
		if wanted == nil || slices.ContainsFunc(c.Dependencies(), func(found *chart.Chart) bool { return found.Name() == wanted.Name }) {
			continue
		}
		where := ""
		if strings.HasPrefix(wanted.Repository, "file:") {
			where = " (" + wanted.Repository + " lies outside of the chart)"
		}
		return failure(job.chartFile(), 0, "dependency %s is not in charts/%s: a render fetches no charts; "+
			"run `helm dependency build` and commit what it puts there", wanted.Name, where)
	}
	return nil
}

func isSubchartArchive(name string) bool {
	return path.Ext(name) == ".tgz" && path.Base(path.Dir(name)) == "charts"
}

func isSlash(letter rune) bool { return letter == '/' || letter == '\\' }

// archiveLimits are what is left for archives, those in archives counted in.
type archiveLimits struct {
	size  int64
	files int
}

var errUnpacked = errors.New("the chart takes more than 100 MiB when it is unpacked")

// check unpacks an archive into nothing. Helm's own limit counts neither empty files nor subcharts.
func (l *archiveLimits) check(packed []byte, nesting int) error {
	if nesting > maxNesting {
		return errors.New("charts lie in charts more than 8 deep")
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return errors.New("the archive is not a chart: it is not compressed by gzip")
	}
	entries := tar.NewReader(&limitedReader{from: unzipped, left: &l.size})
	for {
		header, err := entries.Next()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, errUnpacked) {
			return err
		}
		if err != nil {
			return errors.New("the archive is broken: " + err.Error())
		}
		if l.files--; l.files < 0 {
			return errors.New("the chart has more than 20,000 files")
		}
		if strings.HasPrefix(header.Name, "/") || slices.Contains(strings.FieldsFunc(header.Name, isSlash), "..") {
			return errors.New("the archive holds " + header.Name + ", which leads out of the chart")
		}
		if header.Typeflag == tar.TypeSymlink || header.Typeflag == tar.TypeLink {
			return errors.New("the archive holds the link " + header.Name + ": links are not followed")
		}
		if header.Size > l.size {
			return errUnpacked
		}
		if !isSubchartArchive(header.Name) {
			continue
		}
		inner, err := io.ReadAll(entries)
		if err != nil {
			return err
		}
		if err := l.check(inner, nesting+1); err != nil {
			return err
		}
	}
}

type limitedReader struct {
	from io.Reader
	left *int64
}

func (r *limitedReader) Read(into []byte) (int, error) {
	count, err := r.from.Read(into)
	if *r.left -= int64(count); *r.left < 0 {
		return 0, errUnpacked
	}
	return count, err
}
