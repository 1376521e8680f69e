import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Plugin, transformWithOxc } from "vite";

const SOURCE = "src/service-worker.ts";

/** Put the service worker into the build, with the names of all it keeps; they and the page name the version. */
export function shell(): Plugin {
  let root = ".";
  return {
    name: "shell",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      root = config.root;
    },
    async generateBundle(_options, bundle) {
      const files = Object.keys(bundle).filter((name) => name.startsWith("assets/")).sort();
      const page = bundle["index.html"];
      if (page?.type !== "asset") this.error("the page is not in the bundle");
      const version = createHash("sha256").update(files.join()).update(page.source).digest("hex").slice(0, 16);
      const path = join(root, SOURCE);
      const { code } = await transformWithOxc(await readFile(path, "utf8"), path);
      const source = `const SHELL = ${JSON.stringify({ version, files })};\n${code}`;
      this.emitFile({ type: "asset", fileName: "service-worker.js", source });
    },
  };
}
