import path from "node:path";
import type { NextConfig } from "next";
// Reads the settings, so that a build without one fails immediately.
import { settings } from "./lib/settings";

const OURS = /(^|[\\/])(app|components|hooks|lib|lucide-react)[\\/]/;

const config: NextConfig = {
  // Plain files, which any static hosting can serve; the page needs no server.
  output: "export",
  distDir: process.env.PAGE_FOLDER ?? "out",
  env: { READ_SETTINGS: JSON.stringify(settings) },
  trailingSlash: true,
  reactStrictMode: true,
  webpack: (config, { isServer, dev, dir, webpack }) => {
    if (isServer || dev) return config;
    // Chromium compiles these scripts beside the main thread, and not each function when it is first called:
    // https://v8.dev/blog/explicit-compile-hints. Those that are loaded later have no dash before their hash.
    const banner = { banner: "//# allFunctionsCalledOnLoad", raw: true, test: /-[0-9a-f]+\.js$/ };
    const stage = webpack.Compilation.PROCESS_ASSETS_STAGE_REPORT; // after minification, which removes comments
    config.plugins.push(new webpack.BannerPlugin({ ...banner, stage }));
    // What several routes or layouts need is in one chunk. Otherwise small modules would be in each of their chunks, and a
    // visit would load them twice.
    config.optimization.splitChunks.cacheGroups = {
      ...config.optimization.splitChunks.cacheGroups,
      shared: {
        name: "shared",
        // From this folder on: the folders above it may have any of these names.
        test: (module: { nameForCondition?: () => string | null }) => {
          const file = module.nameForCondition?.();
          return file ? OURS.test(path.relative(dir, file)) : false;
        },
        chunks: (chunk: { canBeInitial: () => boolean }) => chunk.canBeInitial(),
        minChunks: 2,
        enforce: true,
      },
    };
    return config;
  },
};

export default config;
