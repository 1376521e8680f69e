import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const FILES = ["swagger-ui.css", "swagger-ui-bundle.js"];

/** Put the Swagger bundle into the build, for the API page that the server has. */
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
    },
  };
}
