/** The console as it begins at an address of the workbench: with the code of that, all of it at once. */
import "./workbench/annotate";
import "./workbench/review";
import "./main";
