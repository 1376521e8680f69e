import type { Plugin } from "vite";

const PAGE = "workbench.html";
const CODE = ["rolldown-runtime", "console", "workbench"];

/**
 * Name the workbench's code and styles in its page, which loads them only after its first lines have
 * run: the browser fetches and compiles them meanwhile.
 */
export function named(): Plugin {
  return {
    name: "named",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { filename, bundle }) {
        if (!filename.endsWith(PAGE) || !bundle) return [];
        const code = Object.values(bundle).filter((file) => file.type === "chunk" && !file.isEntry && CODE.includes(file.name));
        const styles = Object.keys(bundle).filter((name) => /\/(console|workbench)-[^/]+\.css$/.test(name));
        if (code.length !== CODE.length || styles.length !== 2) throw new Error(`${PAGE}: its code is not in the files ${CODE.join()}`);
        return [
          ...code.map(({ fileName }) => ({ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href: `/${fileName}` }, injectTo: "head" as const })),
          ...styles.map((name) => ({ tag: "link", attrs: { rel: "stylesheet", crossorigin: true, href: `/${name}` }, injectTo: "head" as const })),
        ];
      },
    },
  };
}
