// Serves the Firebase Auth emulator by itself: the Firebase CLI around it takes 11 s to start and wants Java.
// createApp is no public interface, so package.json pins firebase-tools to one version.
const server = require.resolve("firebase-tools/lib/emulator/auth/server");
// What the emulator describes and nobody here asks for is left out: to read it took a quarter of the start.
const { paths } = require("firebase-tools/lib/emulator/auth/apiSpec").default;
for (const path of Object.keys(paths)) {
  if (/tenants|mfa|passkey|IdpConfigs|SamlConfigs/.test(path)) delete paths[path];
}
// Validators for Firebase's thousand operations would take most of the start. Each is compiled when it is needed.
const exegesis = require(require.resolve("exegesis-express", { paths: [server] }));
const { middleware } = exegesis;
exegesis.middleware = (api, options) => middleware(api, { ...options, lazyCompileValidationSchemas: true });

const { createApp } = require(server);
const [project, port] = process.argv.slice(2);
createApp(project).then(
  (app) => app.listen(Number(port), "127.0.0.1"),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
