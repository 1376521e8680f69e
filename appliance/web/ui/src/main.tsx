import { render } from "preact";

import { App } from "./app/app";
import { calm } from "./app/calm";
import { startDamage } from "./app/damage";
import { startJobs } from "./app/jobs";
import { path, startRouter } from "./app/router";
import { loadSession } from "./app/session";
import { startKeeping } from "./app/shell-files";
import { startTheme } from "./app/theme";
import "./tokens.css";
import "./base.css";
import "./pages.css";

startTheme();
startRouter();
// The page about trust is for anybody, and on the plain port there is nothing else.
if (path.value !== "/trust") void loadSession();
void calm.then(startJobs);
void calm.then(startDamage);
const root = document.getElementById("app");
if (root) render(<App />, root);
addEventListener("load", startKeeping);
