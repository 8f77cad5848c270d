import type { NextConfig } from "next";
// Importing the settings validates them, so that a build without one fails immediately.
import "./lib/settings";

const config: NextConfig = {
  // Plain files, which any static hosting can serve; the page needs no server.
  output: "export",
  distDir: process.env.PAGE_FOLDER ?? "out",
  trailingSlash: true,
  reactStrictMode: true,
  webpack: (config, { isServer }) => {
    if (isServer) return config;
    // What several routes or layouts need is in one chunk. Otherwise small modules would be in each of their chunks, and a
    // visit would load them twice.
    config.optimization.splitChunks.cacheGroups = {
      ...config.optimization.splitChunks.cacheGroups,
      shared: {
        name: "shared",
        test: /[\\/](app|components|hooks|lib|lucide-react)[\\/]/,
        chunks: (chunk: { canBeInitial: () => boolean }) => chunk.canBeInitial(),
        minChunks: 2,
        enforce: true,
      },
    };
    return config;
  },
};

export default config;
