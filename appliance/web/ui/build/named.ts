import type { Plugin } from "vite";

const PAGE = "workbench.html";
const CODE = ["rolldown-runtime", "base", "sight"];

/**
 * Name in the workbench's page the code and styles that show the first image, which it loads only after
 * its first lines have run: the browser fetches and compiles them meanwhile.
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
        const code = CODE.map((name) => {
          const found = files.find((file) => file.type === "chunk" && !file.isEntry && file.name === name);
          if (!found) throw new Error(`${PAGE}: there is no file "${name}" of its code`);
          return `/${found.fileName}`;
        });
        const styles = Object.keys(bundle).filter((name) => /\/base-[^/]+\.css$/.test(name));
        if (styles.length !== 1) throw new Error(`${PAGE}: the styles of its first image are not in one file`);
        return [
          ...code.map((href) => ({ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href }, injectTo: "head" as const })),
          ...styles.map((name) => ({ tag: "link", attrs: { rel: "stylesheet", crossorigin: true, href: `/${name}` }, injectTo: "head" as const })),
        ];
      },
    },
  };
}
