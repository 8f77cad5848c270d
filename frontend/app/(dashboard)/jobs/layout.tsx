import type { Metadata } from "next";
import type { ReactNode } from "react";
import { preconnect } from "react-dom";
import { firstConnections } from "@/lib/connections";
import { mediaPlaces } from "@/lib/media-places";
import { settings } from "@/lib/settings";

export const metadata: Metadata = { title: "Jobs" };

export default function JobsLayout({ children }: { children: ReactNode }) {
  for (const { origin, crossOrigin } of firstConnections(settings, mediaPlaces().origin)) {
    preconnect(origin, crossOrigin && { crossOrigin });
  }
  return children;
}
