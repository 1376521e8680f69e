import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const FILES = ["swagger-ui.css", "swagger-ui-bundle.js"];

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · PixelQueue</title>
<link rel="stylesheet" href="swagger-ui.css">
<script src="swagger-ui-bundle.js" defer></script>
<script src="start.js" defer></script>
</head>
<body><main id="api"></main></body>
</html>
`;

const START = `window.SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "none",
});
`;

/** Put the API page into the build: the Swagger bundle, a page and a start script, all from this origin. */
export function swagger(): Plugin {
  return {
    name: "swagger",
    apply: "build",
    async generateBundle() {
      const package_ = createRequire(import.meta.url).resolve("swagger-ui-dist/package.json");
      for (const name of FILES) {
        const source = await readFile(join(dirname(package_), name));
        this.emitFile({ type: "asset", fileName: `swagger/${name}`, source });
      }
      this.emitFile({ type: "asset", fileName: "swagger/index.html", source: PAGE });
      this.emitFile({ type: "asset", fileName: "swagger/start.js", source: START });
    },
  };
}
