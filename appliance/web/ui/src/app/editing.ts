import { EditorSession } from "../editor/session";

/** How the canvas is looked at and worked with; kept from image to image and from page to page. */
export const editing = new EditorSession();
