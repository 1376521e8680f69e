/** The console with the workbench's code. */
import { firstWorker } from "../app/first";
import { startRaster } from "../editor/render/raster-client";
import "./annotate";
import "./review";
import "../main";

startRaster(firstWorker);
