// In the place of `import http from "node:http"` (infra/esbuild.yml): an ES import of this module reads each of its exports, one of
// which loads all of undici, 10 ms of CPU of every cold start.
module.exports = process.getBuiltinModule("node:http");
