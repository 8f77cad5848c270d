import type { Settings } from "@/lib/settings";

interface Connection {
  origin: string;
  /** Connections for calls are others than those for pictures: https://web.dev/articles/preconnect-and-dns-prefetch */
  crossOrigin?: "anonymous";
}

/** Returns the other origins that the first cards wait for, so that the browser connects to them while it loads scripts. */
export function firstConnections({ endpoints, authEmulator }: Settings, mediaOrigin: string): Connection[] {
  const calls = [authEmulator ?? "https://identitytoolkit.googleapis.com", endpoints.listJobs];
  const origins = calls
    .filter((address) => address.startsWith("http"))
    .map((address) => new URL(address).origin);
  return [
    ...origins.map((origin) => ({ origin, crossOrigin: "anonymous" as const })),
    // The local Storage has any port.
    ...(mediaOrigin.includes("*") ? [] : [{ origin: mediaOrigin }]),
  ];
}
