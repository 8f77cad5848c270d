import { Notice } from "@/components/ui/Notice";

export default function NotFound() {
  return (
    <main className="mx-auto grid min-h-dvh max-w-lg place-items-center p-6">
      <Notice title="There is nothing here" heading="h1">
        <p>The address may have been mistyped.</p>
        <a className="font-medium text-accent underline underline-offset-4" href="/jobs/">
          Go to your jobs
        </a>
      </Notice>
    </main>
  );
}
