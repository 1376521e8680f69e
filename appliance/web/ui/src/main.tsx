import { render } from "preact";

import { App } from "./app/app";
import { startDamage } from "./app/damage";
import { startJobs } from "./app/jobs";
import { startRouter } from "./app/router";
import { startTheme } from "./app/theme";
import "./tokens.css";
import "./base.css";
import "./pages.css";

startTheme();
startRouter();
startJobs();
startDamage();
const root = document.getElementById("app");
if (root) render(<App />, root);
