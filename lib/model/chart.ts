/** A chart in a chart repository, pinned: the same bytes for ever. */
export interface ChartReference {
  /** `https://HOST/PATH` (with an index.yaml) or `oci://HOST/PATH`. */
  readonly repository: string;
  readonly name: string;
  /** Exact version, no range. */
  readonly version: string;
  /** `sha256:` and 64 hex digits: of the archive for https, of the manifest for oci. */
  readonly digest: string;
}
