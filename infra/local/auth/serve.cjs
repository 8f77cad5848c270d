// Serves the Firebase Auth emulator by itself: the Firebase CLI around it takes 11 s to start and wants Java.
// createApp is no public interface, so package.json pins firebase-tools to one version.
const server = require.resolve("firebase-tools/lib/emulator/auth/server");
const { createApp } = require(server);

// Each operation's schemas would be checked against JSON Schema itself, which takes most of the start: 5 s of 7.
// They are Firebase's own and pinned with it. Requests are checked against them as before.
const exegesis = require.resolve("exegesis", { paths: [server] });
const { default: Ajv } = require(require.resolve("ajv", { paths: [exegesis] }));
Ajv.prototype.validateSchema = () => true;

const [project, port] = process.argv.slice(2);
createApp(project).then(
  (app) => app.listen(Number(port), "127.0.0.1"),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
