import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": import.meta.dirname } },
  test: {
    include: ["tests/**/*.test.ts"],
    env: {
      NEXT_PUBLIC_API_URL: "https://api.nuumee.test",
      NEXT_PUBLIC_FIREBASE_API_KEY: "key",
      NEXT_PUBLIC_FIREBASE_PROJECT_ID: "project",
    },
  },
});
