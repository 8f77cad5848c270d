import type { NextConfig } from "next";

const config: NextConfig = {
  // Plain files: any static hosting serves them, and no server has to run for the page.
  output: "export",
  trailingSlash: true,
  reactStrictMode: true,
};

export default config;
