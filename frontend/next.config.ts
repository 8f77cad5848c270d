import type { NextConfig } from "next";
// Reads the settings: a build that lacks one ends here, before it has begun.
import "./lib/settings";

const config: NextConfig = {
  // Plain files: any static hosting serves them, and no server has to run for the page.
  output: "export",
  distDir: process.env.PAGE_FOLDER ?? "out",
  trailingSlash: true,
  reactStrictMode: true,
};

export default config;
