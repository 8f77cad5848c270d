import type { NextConfig } from "next";
// Importing the settings validates them, so that a build without one fails immediately.
import "./lib/settings";

const config: NextConfig = {
  // Plain files, which any static hosting can serve; the page needs no server.
  output: "export",
  distDir: process.env.PAGE_FOLDER ?? "out",
  trailingSlash: true,
  reactStrictMode: true,
};

export default config;
