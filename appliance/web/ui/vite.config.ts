import { defineConfig } from "vitest/config";

import { chunkOf, FIRST } from "./build/chunks.ts";
import { named } from "./build/named.ts";
import { precompress } from "./build/precompress.ts";
import { shell } from "./build/shell.ts";
import { swagger } from "./build/swagger.ts";

export default defineConfig({
  plugins: [swagger(), named(), shell(), precompress()],
  build: {
    target: "es2022",
    // The policy of the box allows no data: addresses, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The box answers addresses of the workbench with a page of their own, which names all of its code.
    rolldownOptions: {
      input: ["index.html", "workbench.html"],
      output: { codeSplitting: { groups: [{ name: "first", test: FIRST, priority: 1 }, { name: chunkOf }] } },
    },
  },
  server: { host: "127.0.0.1", proxy: { "/api": { target: "http://127.0.0.1:8080", ws: true } } },
  test: { include: ["tests/**/*.test.ts", "src/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
});
