import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "NuuMee", template: "%s · NuuMee" },
  description: "Your NuuMee videos: watch, download, share and delete them.",
  robots: { index: false },
};

export const viewport: Viewport = { themeColor: "#0f172a", colorScheme: "dark" };

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body className="min-h-dvh antialiased">
        <noscript>
          {/* What is below waits for a script. */}
          <style>{"main { display: none !important }"}</style>
          <p className="p-6 text-center">
            This page needs JavaScript. Please turn it on and reload the page.
          </p>
        </noscript>
        {children}
      </body>
    </html>
  );
}
