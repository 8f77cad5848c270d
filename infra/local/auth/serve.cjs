// Serves the Firebase Auth emulator by itself: the Firebase CLI around it takes 11 s to start and wants Java.
// createApp is no public interface, so package.json pins firebase-tools to one version.
const { createApp } = require("firebase-tools/lib/emulator/auth/server");

const [project, port] = process.argv.slice(2);
createApp(project).then(
  (app) => app.listen(Number(port), "127.0.0.1"),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
