/** What an image takes to be opened, ready before that: the code, and the worker that draws shapes. */
import { firstWorker } from "../app/first";
import { startRaster } from "../editor/render/raster-client";
import "./annotate";

startRaster(firstWorker);
