/** The console with the workbench's code. */
import "./warm";
import "./review";
import "../main";
