import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": import.meta.dirname } },
  // For the production build of React: see NODE_ENV.
  oxc: { jsx: { runtime: "automatic", development: false } },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    // Each file gets a context of its own, not a process, which would take three times as long. With a single worker,
    // Vitest 4.1 lets all files share one context, and they disturb each other.
    pool: "vmForks",
    maxWorkers: 2,
    // On a busy machine the first test of a file that shows the whole page takes seconds.
    testTimeout: 60_000,
    env: {
      // React as the built page has it: three times as fast, and it draws when it likes, not when a test says so.
      NODE_ENV: "production",
      NEXT_PUBLIC_API_URL: "https://api.nuumee.test",
      NEXT_PUBLIC_FIREBASE_API_KEY: "key",
      NEXT_PUBLIC_FIREBASE_PROJECT_ID: "project",
    },
  },
});
