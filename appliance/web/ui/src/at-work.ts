/** The console as it begins at an address of the workbench: the first image, then the page around it. */
import { beginWorker } from "./app/first";

void import("./app/sight").then(async ({ sighted }) => {
  await sighted;
  beginWorker();
  await import("./workbench/page");
});
