/** How the pages of the canvas bench are built, ours and the peer's. */
export default {
  base: "./",
  logLevel: "error",
  build: { target: "es2022", modulePreload: false },
};
