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
      <body className="min-h-dvh antialiased">{children}</body>
    </html>
  );
}
