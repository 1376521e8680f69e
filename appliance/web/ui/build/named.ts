import type { Plugin } from "vite";

const PAGE = "workbench.html";
const AT_ONCE = ["rolldown-runtime", "base", "sight"];

/**
 * Name the workbench's code and styles in its page, which loads them only after its first lines have
 * run: the browser fetches them meanwhile, and compiles what shows the first image.
 */
export function named(): Plugin {
  return {
    name: "named",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { filename, bundle }) {
        if (!filename.endsWith(PAGE) || !bundle) return [];
        const files = Object.values(bundle);
        const code = (names: readonly string[]): string[] =>
          names.map((name) => {
            const found = files.find((file) => file.type === "chunk" && !file.isEntry && file.name === name);
            if (!found) throw new Error(`${PAGE}: there is no file "${name}" of its code`);
            return `/${found.fileName}`;
          });
        const styles = Object.keys(bundle).filter((name) => /\/base-[^/]+\.css$/.test(name));
        return [
          ...code(AT_ONCE).map((href) => ({ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href }, injectTo: "head" as const })),
          ...styles.map((name) => ({ tag: "link", attrs: { rel: "stylesheet", crossorigin: true, href: `/${name}` }, injectTo: "head" as const })),
        ];
      },
    },
  };
}
