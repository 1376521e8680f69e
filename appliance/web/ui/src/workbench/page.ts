/** The console with the workbench's code. */
import "./annotate";
import "./review";
import "../main";
