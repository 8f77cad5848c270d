import { LayoutGrid } from "lucide-react";
import { Button } from "@/components/ui/Button";

interface Props {
  grid: boolean;
  onChange: (grid: boolean) => void;
}

export function LayoutToggle({ grid, onChange }: Props) {
  return (
    <Button
      onClick={() => onChange(!grid)}
      aria-pressed={grid}
      aria-label="Show as a grid"
      title="Grid"
      className="w-11 aria-pressed:border-accent aria-pressed:text-accent forced-colors:aria-pressed:bg-[Highlight] forced-colors:aria-pressed:text-[HighlightText] forced-colors:aria-pressed:forced-color-adjust-none sm:w-10"
    >
      <LayoutGrid aria-hidden className="size-4 shrink-0" />
    </Button>
  );
}
