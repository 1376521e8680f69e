"use strict";
// The page stays readable without the bundle, which only a built user interface has.
if (window.SwaggerUIBundle) {
  window.SwaggerUIBundle({
    url: "/api/openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    tryItOutEnabled: false,
    validatorUrl: null,
    syntaxHighlight: false,
  });
}
