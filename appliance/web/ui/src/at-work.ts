/** The console as it begins at an address of the workbench: the first picture, then the code of that, all of it at once. */
import "./app/first";

void import("./workbench/page");
