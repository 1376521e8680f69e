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
    // All operations and schemas opened at once keep a small machine busy for half a minute.
    docExpansion: "none",
    defaultModelsExpandDepth: 0,
    filter: true,
  });
}
