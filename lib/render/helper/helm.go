package main

import (
	"context"
	"io"
	"log"
	"log/slog"
	"maps"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
)

// chartJob is what one chart is rendered from.
type chartJob struct {
	// path is the chart's folder, or the name of a chart that came as an archive.
	path       string
	archive    string
	entries    []foundEntry
	valueFiles []foundEntry
	options    helmOptions
}

// release is a chart with everything its templates are told.
type release struct {
	chartJob
	chart        *chart.Chart
	values       map[string]any
	capabilities *common.Capabilities
}

func init() {
	// What Helm logs quotes values, and nobody reads it here.
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	// A chart must not come out otherwise on a machine in another place.
	time.Local = time.UTC
}

// renderChart renders a chart as `helm template` does, and reads the result as kubectl would. It renders twice: what then
// differs would be another object on every sync.
func renderChart(job chartJob) ([]string, []string, error) {
	r, err := newRelease(job)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	first, err := r.execute(look{clock: now})
	if err != nil {
		return nil, nil, err
	}
	set, err := r.objects(first)
	if err != nil {
		return nil, nil, err
	}
	// Long enough for every part of a time to be another.
	second, err := r.execute(look{clock: now.Add(412*24*time.Hour + 7*time.Hour + 13*time.Minute + 17*time.Second), second: true})
	if err != nil {
		return nil, nil, err
	}
	if !maps.Equal(first, second) {
		if err := r.refuseDifference(first, second); err != nil {
			return nil, nil, err
		}
	}
	return set.objects, set.warnings, nil
}

func newRelease(job chartJob) (*release, error) {
	if err := chartutil.ValidateReleaseName(job.options.ReleaseName); err != nil {
		return nil, failure(job.path, 0, "%q is no name for a release: %v", job.options.ReleaseName, err)
	}
	loaded, err := loadChart(job)
	if err != nil {
		return nil, err
	}
	values, err := valuesOf(job.valueFiles, job.options)
	if err != nil {
		return nil, err
	}
	r := &release{chartJob: job, chart: loaded, values: values}
	if r.capabilities, err = r.clusterCapabilities(); err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, r.explain(err)
	}
	version := r.capabilities.KubeVersion
	if asked := loaded.Metadata.KubeVersion; asked != "" && !chartutil.IsCompatibleRange(asked, version.String()) {
		return nil, failure(r.place(loaded.Name()+"/Chart.yaml"), 0, "the chart asks for Kubernetes %s, and this is %s", asked, version.Version)
	}
	return r, r.refuseForeignSchemas(loaded)
}

// execute runs all templates once, as `helm template` does.
func (r *release) execute(l look) (map[string]string, error) {
	options := common.ReleaseOptions{Name: r.options.ReleaseName, Namespace: r.options.Namespace, Revision: 1, IsInstall: true}
	// Templates may change the values that they are given: each look has its own.
	values, err := util.ToRenderValuesWithSchemaValidation(r.chart, r.values, options, r.capabilities, l.second)
	if err != nil {
		return nil, r.explain(err)
	}
	rendered, err := engine.Engine{CustomTemplateFuncs: l.functions()}.RenderWithContext(context.Background(), r.chart, values)
	if err != nil {
		return nil, r.explain(err)
	}
	size := 0
	for name, text := range rendered {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(rendered, name)
		} else if size += len(text); size > maxOutput {
			return nil, failure(r.path, 0, "chart %s gives more than the %d MiB that one render may give", r.chart.Name(), maxOutput>>20)
		}
	}
	return rendered, nil
}

// clusterCapabilities are Helm's defaults, or those of the cluster where they were asked for.
func (r *release) clusterCapabilities() (*common.Capabilities, error) {
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.HelmVersion.Version = helmVersion()
	if r.options.KubeVersion != "" {
		version, err := common.ParseKubeVersion(r.options.KubeVersion)
		if err != nil {
			return nil, failure(r.path, 0, "%q is no version of Kubernetes: %v", r.options.KubeVersion, err)
		}
		capabilities.KubeVersion = *version
	}
	known := capabilities.APIVersions
	if len(r.options.ClusterAPIVersions) > 0 {
		known = r.options.ClusterAPIVersions
	}
	capabilities.APIVersions = append(append(common.VersionSet{}, known...), r.options.APIVersions...)
	return capabilities, nil
}
